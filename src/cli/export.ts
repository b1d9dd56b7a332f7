/** Writes a policy of a run as a folder that other programs read. */

import { writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { type StoredModel, saveModelFolder, wholeFolder } from "../model/folder.js";
import { readServed } from "../policy/server/server-policy.js";
import { saveTransformersJsFolder } from "../policy/transformers-js-folder.js";
import { checkModel } from "../rest/inputs.js";
import { BC } from "../rest/names.js";
import { onePolicy } from "../rest/policies.js";
import { withFinished } from "../rest/run.js";
import { writeFolderAtomic } from "../store/atomic.js";
import {
  addTokenizerJson,
  hasTwoVocabularies,
  loadTextCodec,
  saveTextCodec,
  type TextCodec,
} from "../text/text-codec.js";
import { writeAdapter } from "./adapter-card.js";
import type { FolderOptions } from "./command.js";
import type { LayoutName } from "./export-layouts.js";
import { onFolder } from "./folder-work.js";
import { licenceOf } from "./model-card.js";
import { policyCard, type WholeLayout } from "./policy-card.js";
import { servedCard } from "./served-card.js";

export interface ExportOptions extends FolderOptions {
  /** Name of a policy; the last one of the main line when absent. */
  policy?: string;
  /** The folder to write, which must not be there. */
  out: string;
  to: LayoutName;
  /** What the adapter is to name as its base; the first policy's folder when absent. */
  base?: string;
}

/** What `export` wrote. */
export interface Exported {
  policy: string;
  folder: string;
}

/** Writes all but the card into an existing folder. */
type Writer = (folder: string, model: StoredModel, codec: TextCodec) => Promise<void>;

const writers: Readonly<Record<WholeLayout, Writer>> = {
  huggingface: async (folder, { config, parameters }, codec) => {
    await saveModelFolder(folder, config, parameters);
    await saveTextCodec(codec, folder);
    await addTokenizerJson(codec, folder, config.maxPositions);
  },
  "transformers-js": saveTransformersJsFolder,
};

/**
 * The policy as a folder that Transformers or Transformers.js loads, its adapter merged, with a card; or the adapter alone.
 */
export async function exportPolicy(options: ExportOptions): Promise<void> {
  await onFolder(options, undefined, (work, terminal) =>
    withFinished(work, async (run) => {
      const { out, to, base } = options;
      const { folder } = run;
      const { model } = run.config;
      if (base !== undefined && to !== "peft")
        throw new UserError("--base has no effect without --to peft. Remove it.");
      if (await exists(out))
        throw new UserError(
          "this is there already and is left as it is. Choose another folder, or move it away.",
          {
            file: out,
          },
        );
      const policy = onePolicy(run.manifest, options.policy);
      if (run.config.policy.kind === "server") {
        const { model: served } = await readServed(folder.policy(policy));
        if (to !== "card")
          throw new UserError(
            `${policy} is the model ${served} of a server, whose weights Coppice has not got; take them from where the server or the ` +
              "trainer keeps them. --to card writes what was measured of it.",
            { file: folder.root },
          );
        const card = await servedCard(run, policy, served, out);
        await writeFolderAtomic(out, (aside) => writeFile(join(aside, "README.md"), card));
        return terminal.result(
          { policy, folder: out } satisfies Exported,
          () => `Wrote the card of ${policy}, the model ${served}, to ${out}.`,
        );
      }
      if (to === "card")
        throw new UserError(
          "the card of a policy of Coppice's own goes with its weights. Use --to huggingface or transformers-js.",
        );
      // Read whole first: what is damaged is not handed on.
      const place = folder.policy(policy);
      const stored = await checkModel(place);
      const codec = await loadTextCodec(await wholeFolder(place));
      const given = model.from === null ? undefined : resolve(dirname(folder.config), model.from);
      const origin = {
        policy,
        folder: place,
        // As PEFT reads it, from where the program runs; a whole path would tell of this machine.
        base: base ?? relative(process.cwd(), folder.policy(BC)).split(sep).join("/"),
        licence: given === undefined ? undefined : await licenceOf(given),
      };
      const twoVocabularies = hasTwoVocabularies(codec);
      await writeFolderAtomic(out, async (aside) => {
        if (to === "peft") return writeAdapter(aside, stored, origin);
        await writers[to](aside, stored, codec);
        const card = await policyCard(run, origin, { layout: to, out, twoVocabularies });
        await writeFile(join(aside, "README.md"), card);
      });
      const exported: Exported = { policy, folder: out };
      const readers: Readonly<Record<Exclude<LayoutName, "card">, string>> = {
        huggingface: "MarianMTModel.from_pretrained",
        "transformers-js": "@huggingface/transformers in Node and in browsers",
        peft: `PeftModel.from_pretrained on ${origin.base}`,
      };
      terminal.result(exported, () => `Wrote ${policy} to ${out}, for ${readers[to]}.`);
    }),
  );
}
