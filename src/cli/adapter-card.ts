/** The adapter of a policy alone, as PEFT reads it, with the card that says what it belongs to. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { UserError } from "../errors.js";
import { saveAdapterFolder } from "../model/adapter-folder.js";
import { loadModelFolder, type StoredModel } from "../model/folder.js";

export interface AdapterOrigin {
  /** The policy's name, and the folder that it lies in. */
  readonly policy: string;
  readonly folder: string;
  /** What `base_model_name_or_path` and the card say. */
  readonly base: string;
  /** Of the model that the run began with, where its card names one. */
  readonly licence: string | undefined;
}

/** Writes the adapter of a loaded policy into the folder `out`. @throws UserError for a policy that was trained whole. */
export async function writeAdapter(
  out: string,
  { adapter }: StoredModel,
  origin: AdapterOrigin,
): Promise<void> {
  if (!adapter)
    throw new UserError(
      `policy ${origin.policy} has no adapter: all of its weights were trained. Export it --to huggingface, or set ` +
        "improve.lora before its training.",
      { file: origin.folder },
    );
  const { lora, weights, baseFolder } = adapter;
  const { parameters: baseWeights } = await loadModelFolder(baseFolder);
  // Training is over, and what it dropped with it.
  await saveAdapterFolder(out, { lora, dropout: 0, weights, base: origin.base, baseWeights });
  await writeFile(join(out, "README.md"), adapterCard(origin));
}

function adapterCard({ policy, base, licence }: AdapterOrigin): string {
  const front = stringify({
    base_model: base,
    library_name: "peft",
    pipeline_tag: "translation",
    tags: ["lora", "marian"],
    ...(licence === undefined ? {} : { license: licence }),
  });
  return [
    `---\n${front}---`,
    "",
    `A LoRA adapter for the Marian model \`${base}\`: policy ${policy} of a run of Coppice, trained by Reinforced`,
    "Self-Training (ReST, arXiv 2308.08998).",
    "",
    "```python",
    "from peft import PeftModel",
    "from transformers import MarianMTModel",
    "",
    `base = MarianMTModel.from_pretrained(${JSON.stringify(base)})`,
    'model = PeftModel.from_pretrained(base, "PATH OF THIS FOLDER")',
    "```",
    "",
  ].join("\n");
}
