/** The tokenizers of a sequence-to-sequence model: one for both languages, or one for each. */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { hasPieces, loadMarianCodec, type MarianCodec } from "./marian-codec.js";
import { type ByteLevelTokenizer, loadTokenizer, saveTokenizer, type TokenizerFiles } from "./tokenizer.js";
import { loadUnigramCodec } from "./unigram-codec.js";

interface ByteLevelCodec {
  source: ByteLevelTokenizer;
  /** The same object as `source` when the vocabulary is shared. */
  target: ByteLevelTokenizer;
}

export type TextCodec = ByteLevelCodec | MarianCodec;

/** Names for a target vocabulary of its own; Transformers' `AutoTokenizer` sees the source's only. */
const TARGET_FILES: TokenizerFiles = {
  tokenizer: "target_tokenizer.json",
  config: "target_tokenizer_config.json",
};

/**
 * Reads a Marian folder's SentencePiece models; where it has none, `tokenizer.json` with a unigram model, or a byte-level one
 * and, where there is one, `target_tokenizer.json`.
 *
 * @throws UserError as `loadTokenizer` and `loadMarianCodec` do.
 */
export async function loadTextCodec(folder: string): Promise<TextCodec> {
  // A folder that is not there is told by who reads a file of it.
  const names: string[] = await readdir(folder).catch(() => []);
  if (hasPieces(names)) return loadMarianCodec(folder);
  const unigram = await loadUnigramCodec(folder, names);
  if (unigram) return unigram;
  const source = await loadTokenizer(folder);
  const separate = names.includes(TARGET_FILES.tokenizer);
  return { source, target: separate ? await loadTokenizer(folder, TARGET_FILES) : source };
}

/** Writes one tokenizer or two into an existing folder, so that `loadTextCodec` returns the same. */
export async function saveTextCodec(codec: TextCodec, folder: string): Promise<void> {
  if ("files" in codec) {
    for (const [name, bytes] of codec.files) await writeFile(join(folder, name), bytes);
    return;
  }
  await saveTokenizer(codec.source, folder);
  if (codec.source !== codec.target) return saveTokenizer(codec.target, folder, TARGET_FILES);
  // A file left from a separate vocabulary would be read as this model's.
  for (const name of Object.values(TARGET_FILES)) await rm(join(folder, name), { force: true });
}

/** Where the target's tokenizer lies that Transformers.js decodes with, where each language has a vocabulary of its own. */
const TARGET_FOLDER = "target";

/**
 * Writes `tokenizer.json` and `tokenizer_config.json`, all that Transformers.js reads, into an existing folder; where each
 * language has a vocabulary of its own, the target's into the folder `target` in it. `longest` is the most tokens of a
 * text that the network takes.
 *
 * @throws UserError where a SentencePiece model cannot be said so.
 */
export async function saveFastTokenizers(codec: TextCodec, folder: string, longest: number): Promise<void> {
  const save = async (side: "source" | "target", to: string): Promise<void> => {
    if (!("files" in codec)) return saveTokenizer(codec[side], to);
    const { tokenizer, config } = codec.define(longest)[side];
    await writeFile(join(to, "tokenizer.json"), `${JSON.stringify(tokenizer)}\n`);
    await writeFile(join(to, "tokenizer_config.json"), `${JSON.stringify(config, null, 2)}\n`);
  };
  await save("source", folder);
  if (!hasTwoVocabularies(codec)) return;
  await mkdir(join(folder, TARGET_FOLDER));
  await save("target", join(folder, TARGET_FOLDER));
}

/**
 * Writes `tokenizer.json` beside the SentencePiece models of a folder that has none, for programs that read no other; nothing
 * where it cannot say what the models do.
 */
export async function addTokenizerJson(codec: TextCodec, folder: string, longest: number): Promise<void> {
  if (!("files" in codec) || codec.files.has("tokenizer.json")) return;
  try {
    const { tokenizer } = codec.define(longest).source;
    await writeFile(join(folder, "tokenizer.json"), `${JSON.stringify(tokenizer)}\n`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

/** Whether each language has a vocabulary of its own. */
export function hasTwoVocabularies(codec: TextCodec): boolean {
  return "files" in codec ? codec.twoVocabularies : codec.source !== codec.target;
}
