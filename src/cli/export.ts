/** Writes a policy of a run as a folder that other programs read. */

import { dirname, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { saveModelFolder, wholeFolder } from "../model/folder.js";
import { checkModel } from "../rest/inputs.js";
import { BC } from "../rest/names.js";
import { onePolicy } from "../rest/policies.js";
import { withFinished } from "../rest/run.js";
import { writeFolderAtomic } from "../store/atomic.js";
import { loadTextCodec, saveTextCodec } from "../text/text-codec.js";
import { writeAdapter } from "./adapter-card.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";
import { licenceOf } from "./model-card.js";

/** Whose layout the folder has: Transformers', or an adapter alone in PEFT's. */
export type Layout = "huggingface" | "peft";

export interface ExportOptions extends FolderOptions {
  /** Name of a policy; the last one of the main line when absent. */
  policy?: string;
  /** The folder to write, which must not be there. */
  out: string;
  to: Layout;
  /** What the adapter is to name as its base; the first policy's folder when absent. */
  base?: string;
}

/** What `export` wrote. */
export interface Exported {
  policy: string;
  folder: string;
}

/**
 * The policy as a folder that Transformers loads, in the layout of the model that the run started from and with its adapter
 * merged; or the adapter alone.
 */
export async function exportPolicy(options: ExportOptions): Promise<void> {
  await onFolder(options, undefined, (work, terminal) =>
    withFinished(work, async ({ config: { model }, manifest, folder }) => {
      const { out, to, base } = options;
      if (base !== undefined && to !== "peft")
        throw new UserError("--base has no effect without --to peft. Remove it.");
      if (await exists(out))
        throw new UserError(
          "this is there already and is left as it is. Choose another folder, or move it away.",
          {
            file: out,
          },
        );
      const policy = onePolicy(manifest, options.policy);
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
      await writeFolderAtomic(out, async (aside) => {
        if (to === "peft") return writeAdapter(aside, stored, origin);
        await saveModelFolder(aside, stored.config, stored.parameters);
        await saveTextCodec(codec, aside);
      });
      const exported: Exported = { policy, folder: out };
      const reader =
        to === "peft" ? `PeftModel.from_pretrained on ${origin.base}` : "MarianMTModel.from_pretrained";
      terminal.result(exported, () => `Wrote ${policy} to ${out}, for ${reader}.`);
    }),
  );
}
