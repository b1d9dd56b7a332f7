/** Marian's own vocabularies (`*.vocab.yml`: a token and its id a line), as the files that a Hugging Face folder has in their place. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { UserError } from "../errors.js";

const PAD = "<pad>";
const COPY = "copy the model folder again.";

/**
 * Contents of `vocab.json` and `tokenizer_config.json`, and of `target_vocab.json` where each language has a vocabulary of its own
 * (`*.src.vocab.yml` and `*.trg.vocab.yml`). `<pad>`, which Marian does without, is the last token, as in Transformers' converter.
 * None where no file of `names` is a vocabulary.
 *
 * @throws UserError where one is malformed, or it is not clear which to read.
 */
export async function readYamlVocabularies(
  folder: string,
  names: readonly string[],
): Promise<[name: string, content: Readonly<Record<string, unknown>>][]> {
  const found = names.filter((name) => name.endsWith("vocab.yml"));
  const sides = ["src.vocab.yml", "trg.vocab.yml"].map((end) => found.filter((name) => name.endsWith(end)));
  const whole = found.filter((name) => !sides.flat().includes(name));
  const [source, target] = sides.map((files) => (files.length === 1 ? files[0] : undefined));
  if (source !== undefined && target !== undefined && whole.length === 0)
    return [
      ["vocab.json", await read(join(folder, source))],
      ["target_vocab.json", await read(join(folder, target))],
      ["tokenizer_config.json", { separate_vocabs: true }],
    ];
  const [one, ...more] = whole;
  if (found.length === 0) return [];
  if (one === undefined || more.length > 0 || sides.flat().length > 0)
    throw new UserError(
      `has the vocabularies ${found.join(", ")}, expected one *.vocab.yml, or one *.src.vocab.yml and one *.trg.vocab.yml.`,
      { file: folder },
    );
  return [
    ["vocab.json", await read(join(folder, one))],
    ["tokenizer_config.json", { separate_vocabs: false }],
  ];
}

async function read(file: string): Promise<Record<string, number>> {
  const lines = new LineCounter();
  // Tokens such as `no` and `1` are texts. That none stands twice is looked at below: the library compares each with each.
  const document = parseDocument(await readFile(file, "utf8"), {
    schema: "failsafe",
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: "silent",
  });
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? {} : { line: lines.linePos(offset).line };
  const [error] = document.errors;
  if (error) throw new UserError(`this is not YAML; ${COPY}`, { file, ...lineAt(error.pos[0]) });
  if (!isMap(document.contents)) throw new UserError(`is not a list of tokens and ids; ${COPY}`, { file });
  const ids = new Map<string, number>();
  for (const { key, value } of document.contents.items) {
    const place = { file, ...lineAt(isScalar(key) ? key.range?.[0] : undefined) };
    if (
      !isScalar(key) ||
      typeof key.value !== "string" ||
      !isScalar(value) ||
      !/^\d{1,9}$/.test(String(value.value))
    )
      throw new UserError(`expected a token and its id, such as "hello": 7; ${COPY}`, place);
    if (ids.has(key.value))
      throw new UserError(`has the token ${JSON.stringify(key.value)} twice; ${COPY}`, place);
    ids.set(key.value, Number(value.value));
  }
  const used = new Set(ids.values());
  const free = Array.from({ length: ids.size }, (_, id) => id).find((id) => !used.has(id));
  if (free !== undefined)
    throw new UserError(`no token of the ${ids.size} has id ${free}; ${COPY}`, { file });
  if (ids.has(PAD))
    throw new UserError(`has a token ${PAD}, which no vocabulary of Marian's has and Coppice adds.`, {
      file,
    });
  ids.set(PAD, ids.size);
  return Object.fromEntries(ids);
}
