/** A sentence that the reader types, by every policy as each is done. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Reward } from "../../../report/components/reward.js";
import { Table } from "../../../report/components/table.js";
import { Words } from "../../../report/components/words.js";
import { visible } from "../../../report/escape.js";
import { plural, rewardPoints } from "../../../report/format.js";
import type { ScoredText, TypedLimits, TypedLine, TypedTranslation } from "../../views.js";
import { postForLines } from "../lines.js";
import { queryText } from "../router.js";
import { ErrorState } from "./states.js";

interface Props {
  run: string | undefined;
  limits: TypedLimits;
  /** Policies that can translate. */
  trained: readonly string[];
}

interface Work {
  /** Sentence that was asked for, and how. */
  asked: { text: string; bestOf: number };
  state: "waiting" | "working" | "done" | "stopped";
  /** Requests served before this one. */
  ahead: number;
  found: TypedTranslation[];
}

const SIZES = [0, 2, 4, 8, 16, 32, 64];

export function TypedSentence({ run, limits, trained }: Props) {
  const [text, setText] = useState("");
  const [bestOf, setBestOf] = useState(8);
  const [temperature, setTemperature] = useState("1");
  const [work, setWork] = useState<Work>();
  const [error, setError] = useState<string>();
  const stop = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const busy = work?.state === "waiting" || work?.state === "working";

  const translate = async () => {
    stop.current?.abort();
    const own = new AbortController();
    stop.current = own;
    setError(undefined);
    const change = (next: (before: Work) => Work) => setWork((before) => before && next(before));
    setWork({ asked: { text: text.trim(), bestOf }, state: "working", ahead: 0, found: [] });
    try {
      await postForLines<TypedLine>(`/api/policies/translate${queryText({ run })}`, {
        body: { text, bestOf, temperature: Number(temperature) },
        signal: own.signal,
        onLine: (line) => {
          if (line.kind === "waiting")
            change((before) => ({ ...before, state: "waiting", ahead: line.ahead }));
          else if (line.kind === "policy")
            change((before) => ({ ...before, state: "working", found: [...before.found, line] }));
          else if (line.kind === "end") change((before) => ({ ...before, state: "done" }));
          else throw new Error(line.error);
        },
      });
      // A server that was stopped ends its answer without a last line.
      change((before) => (before.state === "done" ? before : { ...before, state: "stopped" }));
    } catch (failure) {
      // Another request took over: its state is the one to show.
      if (stop.current !== own) return;
      if (!own.signal.aborted) setError(failure instanceof Error ? failure.message : String(failure));
      change((before) => ({ ...before, state: "stopped" }));
    }
  };

  return (
    <section aria-labelledby="typed">
      <h2 id="typed">A sentence of your own</h2>
      <form
        class="filters"
        data-testid="typed-form"
        onSubmit={(event) => {
          event.preventDefault();
          void translate();
        }}
      >
        <label class="wide">
          <span>Sentence in the source language</span>
          <input
            type="text"
            value={text}
            maxLength={limits.characters}
            required
            autocomplete="off"
            data-testid="typed-text"
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <label>
          <span>Best of</span>
          <select
            value={bestOf}
            data-testid="typed-best-of"
            onChange={({ currentTarget }) => setBestOf(Number(currentTarget.value))}
          >
            {SIZES.filter((size) => size <= limits.bestOf).map((size) => (
              <option key={size} value={size}>
                {size === 0 ? "no samples" : plural(size, "sample")}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Temperature</span>
          <input
            type="number"
            min="0.05"
            max={limits.temperature}
            step="0.05"
            value={temperature}
            disabled={bestOf === 0}
            onInput={({ currentTarget }) => setTemperature(currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={busy || trained.length === 0} data-testid="typed-go">
          Translate
        </button>
        {busy && (
          <button type="button" onClick={() => stop.current?.abort()} data-testid="typed-stop">
            Stop
          </button>
        )}
      </form>
      {trained.length === 0 && (
        <p class="note">
          No policy is trained yet. When the first one is, reload this page and type a sentence.
        </p>
      )}
      {error !== undefined && <ErrorState error={error} />}
      {work && (
        <>
          <p class="note" role="status" data-testid="typed-status">
            {statusWords(work, trained.length)}
          </p>
          {work.found.length > 0 && <Found work={work} />}
        </>
      )}
    </section>
  );
}

function statusWords({ state, ahead, found }: Work, all: number): string {
  const done = `${found.length} of ${plural(all, "policy", "policies")}`;
  switch (state) {
    case "waiting":
      return `Waiting: ${plural(ahead, "other sentence")} first.`;
    case "working":
      return `Translating… ${done}.`;
    case "done":
      return `Done: ${done}.`;
    case "stopped":
      return `Stopped after ${done}.`;
  }
}

function Found({ work: { asked, found } }: { work: Work }) {
  const scored = found.some(({ greedy }) => greedy.reward !== null);
  return (
    <>
      <Table
        caption={`Translations of “${visible(asked.text)}” by every policy, with their rewards (0 to 100)`}
        testId="typed-result"
        rows={found}
        keyOf={({ policy }) => policy}
        columns={[
          { key: "policy", header: "policy", cell: ({ policy }) => policy },
          { key: "greedy", header: "greedy", cell: ({ greedy }) => <Text of={greedy} /> },
          {
            key: "greedy-reward",
            header: "reward",
            align: "right",
            cell: ({ greedy }) => <Reward value={greedy.reward} />,
          },
          ...(asked.bestOf === 0 || !scored
            ? []
            : [
                {
                  key: "best",
                  header: `best of ${asked.bestOf}`,
                  cell: ({ samples }: TypedTranslation) => samples[0] && <Best samples={samples} />,
                },
                {
                  key: "best-reward",
                  header: "reward",
                  align: "right" as const,
                  cell: ({ samples }: TypedTranslation) => <Reward value={samples[0]?.reward ?? null} />,
                },
              ]),
        ]}
      />
      {!scored && (
        <p class="note">
          This run's reward compares with a human translation, which a typed sentence does not have: nothing
          is scored, and there is no best of N.
        </p>
      )}
    </>
  );
}

function Text({ of: { text, finished } }: { of: ScoredText }) {
  return (
    <>
      <Words text={text} />
      {!finished && <span class="note"> (cut at the length limit)</span>}
    </>
  );
}

/** The sample of the highest reward, all others folded away. */
function Best({ samples }: { samples: readonly ScoredText[] }) {
  return (
    <>
      <Text of={samples[0]!} />
      <details>
        <summary>all {plural(samples.length, "sample")}</summary>
        <ol class="samples">
          {samples.map((sample, at) => (
            <li key={at}>
              <Text of={sample} /> <span class="change">{rewardPoints(sample.reward)}</span>
            </li>
          ))}
        </ol>
      </details>
    </>
  );
}
