import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { loadTextCodec, saveTextCodec } from "../../src/text/text-codec.js";
import {
  type ByteLevelTokenizer,
  createTokenizer,
  loadTokenizer,
  saveTokenizer,
} from "../../src/text/tokenizer.js";
import { trainVocabulary } from "../../src/text/train-vocabulary.js";

const FIXTURE = fileURLToPath(new URL("../fixtures/tokenizer/", import.meta.url));
const LINES = readFileSync(`${FIXTURE}text.txt`, "utf8").trimEnd().split("\n");
const fixture = (name: string) => JSON.parse(readFileSync(FIXTURE + name, "utf8"));

let tokenizer: ByteLevelTokenizer;
let folder: string;
beforeAll(async () => {
  tokenizer = await loadTokenizer(`${FIXTURE}folder`);
  folder = mkdtempSync(join(tmpdir(), "coppice-tokenizer-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Any well-formed text, with what tokenizers get wrong made likely. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc
    .array(
      fc.constantFrom(
        ...[" ", "  ", "\n", "\t", "\r\n", "\0", "\u00a0", "\u3000", "\u0085", "\ufeff", "a", "The", "mill"],
        ...[
          "</s>",
          "<pad>",
          "Ġ",
          "'s",
          "’t",
          "é",
          "e\u0301",
          "磨坊",
          "🙂",
          "👩‍🌾",
          "שָׁ",
          "مَرْ",
          "7",
          ".",
          "__proto__",
        ],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
);

describe("decode(encode(text))", () => {
  test("is the text, for every well-formed text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text);
        expect(ids.at(-1)).toBe(tokenizer.eosId);
        expect(ids.slice(0, -1).every((id) => id > 1 && id < tokenizer.vocabularySize)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("is the text where the vocabulary was trained on nothing like it", () => {
    const bytesOnly = createTokenizer(trainVocabulary(["a"], { size: 258 }));
    for (const { text } of fixture("encoded.json").encoded)
      expect(bytesOnly.decode(bytesOnly.encode(text))).toBe(text);
  });

  test("has U+FFFD for a lone surrogate, which UTF-8 cannot hold", () => {
    expect(tokenizer.decode(tokenizer.encode("a\ud800b \udc00"))).toBe("a\ufffdb \ufffd");
  });

  test("is the text of 100,000 characters in one line", () => {
    const line = "Straße 7, 磨坊🙂".repeat(8000);
    expect(tokenizer.decode(tokenizer.encode(line))).toBe(line);
    const word = "x".repeat(100_000);
    expect(tokenizer.decode(tokenizer.encode(word))).toBe(word);
  });
});

describe("encode", () => {
  test("gives the ids that Transformers' AutoTokenizer gives, from the same folder", () => {
    const { encoded } = fixture("encoded.json");
    expect(encoded.length).toBeGreaterThan(60);
    for (const { text, ids } of encoded) expect([text, tokenizer.encode(text)]).toEqual([text, ids]);
  });

  test("gives the ids of the library without the memory of words", () => {
    const whole = new LibraryTokenizer({ ...tokenizer.definition, added_tokens: [] }, {});
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.encode(text)).toEqual(whole.encode(text).ids);
      }),
    );
  });

  test("gives the ids that Transformers.js' library gives from the two files as they are", () => {
    const whole = new LibraryTokenizer(
      fixture("folder/tokenizer.json"),
      fixture("folder/tokenizer_config.json"),
    );
    for (const { text, ids } of fixture("encoded.json").encoded) {
      expect(whole.encode(text).ids).toEqual(ids);
      expect(whole.decode(ids, { skip_special_tokens: true })).toBe(text);
    }
  });

  test("gives a word one form at the start of a sentence and within it", () => {
    const [start, within] = [tokenizer.encode("mill the"), tokenizer.encode("the mill")];
    expect([...start].sort()).toEqual([...within].sort());
  });

  test("takes </s> and <pad> in a sentence for the characters they are", () => {
    const ids = tokenizer.encode("</s> <pad></s>");
    expect(ids.indexOf(tokenizer.eosId)).toBe(ids.length - 1);
    expect(ids).not.toContain(tokenizer.padId);
    expect(tokenizer.decode(ids)).toBe("</s> <pad></s>");
  });

  test("gives only </s> for an empty text", () => {
    expect(tokenizer.encode("")).toEqual([0]);
  });
});

describe("decode", () => {
  test("gives the text that Transformers gives for random ids, U+FFFD where they are not UTF-8", () => {
    for (const { ids, text } of fixture("decoded.json").decoded)
      expect([ids, tokenizer.decode(ids)]).toEqual([ids, text]);
  });

  test("never throws on ids of the vocabulary, and gives a text that can be encoded", () => {
    const ids = fc.array(fc.integer({ min: 0, max: tokenizer.vocabularySize - 1 }));
    fc.assert(
      fc.property(ids, (sampled) => {
        const text = tokenizer.decode(sampled);
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  test("leaves out </s> and <pad>", () => {
    const [word] = tokenizer.encode("mill");
    expect(tokenizer.decode([1, word, 0, 1, 1])).toBe(tokenizer.decode([word]));
    expect(tokenizer.decode([0, 1])).toBe("");
    expect(tokenizer.decode([])).toBe("");
  });

  test.each([500, -1, 2.5, Number.NaN])("refuses %d, which is no id of 500", (id) => {
    expect(() => tokenizer.decode([2, id])).toThrow(RangeError);
  });
});

describe("a tokenizer on disk", () => {
  test("is written as the folder that Transformers loaded for the fixtures", async () => {
    await saveTokenizer(createTokenizer(trainVocabulary(LINES, { size: 500 })), folder);
    for (const name of ["tokenizer.json", "tokenizer_config.json"])
      expect(readFileSync(join(folder, name), "utf8")).toBe(readFileSync(`${FIXTURE}folder/${name}`, "utf8"));
  });

  test("is loaded with the same vocabulary", async () => {
    expect(tokenizer).toMatchObject({ vocabularySize: 500, eosId: 0, padId: 1 });
  });

  test("that cuts text otherwise is left to the library whole", async () => {
    const definition = structuredClone(tokenizer.definition);
    definition.pre_tokenizer = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
    const other = createTokenizer(definition);
    for (const line of LINES) {
      expect(other.encode(line).at(-1)).toBe(0);
      expect(other.decode(other.encode(line))).toBe(line);
    }
  });

  const broken = (change: (definition: ReturnType<typeof fixture>) => void): string => {
    const definition = fixture("folder/tokenizer.json");
    change(definition);
    return JSON.stringify(definition);
  };
  test.each([
    ["an empty file", () => "", "is not JSON"],
    ["a file cut short", () => broken(() => {}).slice(0, 5000), "is not JSON"],
    ["a list", () => "[]", "the file is not as"],
    ["another type of model", () => broken((d) => Object.assign(d.model, { type: "Unigram" })), '"Unigram"'],
    ["no model", () => broken((d) => delete d.model), "model is not as"],
    [
      "an id that is no number",
      () => broken((d) => Object.assign(d.model.vocab, { a: "7" })),
      "model.vocab.a is",
    ],
    ["a hole in the ids", () => broken((d) => Object.assign(d.model.vocab, { a: 9999 })), "has id"],
    [
      "a byte missing",
      () => broken((d) => renameToken(d.model.vocab, "Ġ", "ĠĠĠĠ")),
      "1 of the 256 byte symbols",
    ],
    ["no </s>", () => broken((d) => d.added_tokens.shift()), "</s> is missing"],
    ["a merge of unknown parts", () => broken((d) => d.model.merges.push(["Q", "zz"])), "merge 242"],
    [
      "another id of a token",
      () => broken((d) => Object.assign(d.added_tokens[1], { id: 5 })),
      '"<pad>" has id 5',
    ],
    [
      "an unknown part",
      () => broken((d) => Object.assign(d, { decoder: { type: "Morse" } })),
      "Unknown Decoder type: Morse",
    ],
  ])("with %s is refused in one sentence that names the file", async (_, content, words) => {
    const file = join(folder, "tokenizer.json");
    writeFileSync(file, content());
    const error = await loadTokenizer(folder).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain(`${file}: `);
    expect(String(error)).toContain(words);
    expect(String(error)).not.toContain("\n");
  });

  test("that is missing is refused with the file's name", async () => {
    const missing = loadTokenizer(join(folder, "nowhere"));
    await expect(missing).rejects.toThrow(UserError);
    await expect(missing).rejects.toThrow(/nowhere.tokenizer\.json: cannot be read \(ENOENT\)/);
  });
});

describe("the codec of a model", () => {
  test("holds one object twice when the vocabulary is shared", async () => {
    await saveTextCodec({ source: tokenizer, target: tokenizer }, folder);
    const { source, target } = await byteLevelCodec();
    expect(target).toBe(source);
    expect(source.definition).toEqual(tokenizer.definition);
  });

  test("holds two vocabularies when they are separate, until a shared one is written over them", async () => {
    const other = createTokenizer(trainVocabulary(["mill mill"], { size: 260 }));
    await saveTextCodec({ source: tokenizer, target: other }, folder);
    const codec = await byteLevelCodec();
    expect(codec.source.definition).toEqual(tokenizer.definition);
    expect(codec.target.definition).toEqual(other.definition);

    await saveTextCodec({ source: other, target: other }, folder);
    const shared = await loadTextCodec(folder);
    expect(shared.target).toBe(shared.source);
    expect(shared.source.vocabularySize).toBe(260);
  });
});

async function byteLevelCodec() {
  const codec = await loadTextCodec(folder);
  if ("files" in codec) throw new Error("a codec of SentencePiece models");
  return codec;
}

function renameToken(vocab: Record<string, number>, from: string, to: string): void {
  vocab[to] = vocab[from];
  delete vocab[from];
}
