/** `coppice serve`: the policies of a run behind HTTP. */
import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../../errors.js";
import { addCommand, portNumber, wholeNumber } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface ServeCommandOptions extends OutputOptions {
  policy?: string;
  bestOf: number;
  rerank?: boolean;
  host: string;
  port: number;
  queue: number;
}

const DEFAULT_PORT = 4247;
/** Texts that may wait: four requests of as many as one may have. */
const DEFAULT_QUEUE = 1024;
/** As one request may ask for. */
const MOST_CANDIDATES = 128;

export function addServe(program: Command): void {
  addCommand(program, "serve <dir>", {
    summary: "translate for programs, as OpenAI's clients ask",
    description:
      "Puts the policies of a run behind HTTP: /v1/chat/completions, /v1/completions and /v1/models as OpenAI's clients " +
      "speak them, and /translate for batches. Requests that come together are decoded together. Ctrl-C ends it when what " +
      "is under way is answered. Another address than this machine's own asks for a token: COPPICE_TOKEN, or a new one " +
      "that it prints. docs/serving.md says what can be asked for.",
    examples: [
      ["coppice serve runs/demo", "the last policy, greedy"],
      ["coppice serve runs/demo --policy G2I3 --best-of 8", "of 8 samples the one with the highest reward"],
      [
        "curl localhost:4247/translate -H 'Content-Type: application/json' -d '{\"sources\": [\"Datei öffnen\"]}'",
        "ask it",
      ],
      ["COPPICE_TOKEN=secret coppice serve runs/demo --host 0.0.0.0", "for other machines too, with a token"],
    ],
  })
    .option("--policy <name>", "policy that answers where a request names none; the last one when left out")
    .option("--best-of <n>", "answer with the best by reward of so many samples; 1 is greedy", candidates, 1)
    .option("--rerank", "choose them by the sum of scores that evaluation tuned (evaluate.rerank)")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on; 0 for any that is free", portNumber, DEFAULT_PORT)
    .option("--queue <n>", "texts that may wait; more are refused", wholeNumber(1), DEFAULT_QUEUE)
    .action(async (dir: string, options: ServeCommandOptions) => {
      if (options.rerank && options.bestOf === 1)
        throw new UserError("--rerank chooses among samples: give --best-of N with it.");
      const { serveCommand } = await import("../serve.js");
      await serveCommand({ ...options, dir });
    });
}

function candidates(text: string): number {
  const n = wholeNumber(1)(text);
  if (n > MOST_CANDIDATES) throw new InvalidArgumentError(`It must be at most ${MOST_CANDIDATES}.`);
  return n;
}
