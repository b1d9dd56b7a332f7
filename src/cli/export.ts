/** Writes a policy of a run as a folder that other programs read. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { type StoredModel, saveModelFolder } from "../model/folder.js";
import { saveTransformersJsFolder } from "../policy/transformers-js-folder.js";
import { checkModel } from "../rest/inputs.js";
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
import type { FolderOptions } from "./command.js";
import type { LayoutName } from "./export-layouts.js";
import { onFolder } from "./folder-work.js";
import { policyCard } from "./policy-card.js";

export interface ExportOptions extends FolderOptions {
  /** Name of a policy; the last one of the main line when absent. */
  policy?: string;
  layout: LayoutName;
  /** The folder to write, which must not be there. */
  out: string;
}

/** What `export` wrote. */
export interface Exported {
  policy: string;
  layout: LayoutName;
  folder: string;
}

interface Layout {
  /** Who reads it, in the words of what is printed. */
  readonly reader: string;
  /** Writes all but the card into an existing folder. */
  write(folder: string, model: StoredModel, codec: TextCodec): Promise<void>;
}

const layouts: Readonly<Record<LayoutName, Layout>> = {
  huggingface: {
    reader: "MarianMTModel.from_pretrained",
    async write(folder, { config, parameters }, codec) {
      await saveModelFolder(folder, config, parameters);
      await saveTextCodec(codec, folder);
      await addTokenizerJson(codec, folder, config.maxPositions);
    },
  },
  "transformers-js": {
    reader: "pipeline of @huggingface/transformers",
    write: saveTransformersJsFolder,
  },
};

/** The policy as a folder of the layout asked for, with a card. */
export async function exportPolicy(options: ExportOptions): Promise<void> {
  await onFolder(options, undefined, (work, terminal) =>
    withFinished(work, async (run) => {
      const { out, layout } = options;
      if (await exists(out))
        throw new UserError(
          "this is there already and is left as it is. Choose another folder, or move it away.",
          {
            file: out,
          },
        );
      const policy = onePolicy(run.manifest, options.policy);
      // Read whole first: what is damaged is not handed on.
      const model = await checkModel(run.folder.policy(policy));
      const codec = await loadTextCodec(run.folder.policy(policy));
      const card = await policyCard(run, policy, { layout, out, twoVocabularies: hasTwoVocabularies(codec) });
      await writeFolderAtomic(out, async (aside) => {
        await layouts[layout].write(aside, model, codec);
        await writeFile(join(aside, "README.md"), card);
      });
      const exported: Exported = { policy, layout, folder: out };
      terminal.result(exported, () => `Wrote ${policy} to ${out}, for ${layouts[layout].reader}.`);
    }),
  );
}
