/** Writes a policy of a run as a folder that other programs read. */

import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { saveModelFolder } from "../model/folder.js";
import { checkModel } from "../rest/inputs.js";
import { onePolicy } from "../rest/policies.js";
import { withFinished } from "../rest/run.js";
import { writeFolderAtomic } from "../store/atomic.js";
import { loadTextCodec, saveTextCodec } from "../text/text-codec.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";

export interface ExportOptions extends FolderOptions {
  /** Name of a policy; the last one of the main line when absent. */
  policy?: string;
  /** The folder to write, which must not be there. */
  out: string;
}

/** What `export` wrote. */
export interface Exported {
  policy: string;
  folder: string;
}

/** The policy as a folder that Transformers loads: the same layout as the model that the run started from. */
export async function exportHuggingFace(options: ExportOptions): Promise<void> {
  await onFolder(options, undefined, (work, terminal) =>
    withFinished(work, async ({ manifest, folder }) => {
      const { out } = options;
      if (await exists(out))
        throw new UserError(
          "this is there already and is left as it is. Choose another folder, or move it away.",
          {
            file: out,
          },
        );
      const policy = onePolicy(manifest, options.policy);
      // Read whole first: what is damaged is not handed on.
      const { config, parameters } = await checkModel(folder.policy(policy));
      const codec = await loadTextCodec(folder.policy(policy));
      await writeFolderAtomic(out, async (aside) => {
        await saveModelFolder(aside, config, parameters);
        await saveTextCodec(codec, aside);
      });
      const exported: Exported = { policy, folder: out };
      terminal.result(exported, () => `Wrote ${policy} to ${out}, for MarianMTModel.from_pretrained.`);
    }),
  );
}
