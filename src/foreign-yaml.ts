/** YAML that others wrote, as what it holds. */

import { parseDocument } from "yaml";

/**
 * What the text holds; undefined where it is not YAML, or its aliases stand for too much. Without the library's long error
 * messages, which show the text again, since it may be damaged anyhow.
 *
 * @param aliases How often what an alias stands for may be repeated: small files could fill the memory by it.
 */
export function foreignYaml(text: string, aliases = 100): unknown {
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  try {
    return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: aliases });
  } catch {
    return undefined;
  }
}
