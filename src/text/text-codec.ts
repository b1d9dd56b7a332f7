/** The tokenizers of a sequence-to-sequence model: one for both languages, or one for each. */
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { loadTokenizer, saveTokenizer, type Tokenizer, type TokenizerFiles } from "./tokenizer.js";

export interface TextCodec {
  source: Tokenizer;
  /** The same object as `source` when the vocabulary is shared. */
  target: Tokenizer;
}

/** Names for a target vocabulary of its own; Transformers' `AutoTokenizer` sees the source's only. */
const TARGET_FILES: TokenizerFiles = {
  tokenizer: "target_tokenizer.json",
  config: "target_tokenizer_config.json",
};

/**
 * Reads `tokenizer.json` and, where the folder has one, `target_tokenizer.json`.
 *
 * @throws UserError as `loadTokenizer` does.
 */
export async function loadTextCodec(folder: string): Promise<TextCodec> {
  const source = await loadTokenizer(folder);
  const separate = await access(join(folder, TARGET_FILES.tokenizer)).then(
    () => true,
    () => false,
  );
  return { source, target: separate ? await loadTokenizer(folder, TARGET_FILES) : source };
}

/** Writes one tokenizer or two into an existing folder, so that `loadTextCodec` returns the same. */
export async function saveTextCodec(codec: TextCodec, folder: string): Promise<void> {
  await saveTokenizer(codec.source, folder);
  if (codec.source !== codec.target) return saveTokenizer(codec.target, folder, TARGET_FILES);
  // A file left from a separate vocabulary would be read as this model's.
  for (const name of Object.values(TARGET_FILES)) await rm(join(folder, name), { force: true });
}
