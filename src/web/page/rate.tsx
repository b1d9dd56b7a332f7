/** Where people rate: a source, what was written for it in an order drawn anew, 0 to 6 for each. By keyboard alone if wanted. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Desk, ShownItem, Undone } from "../../rating/desk.js";
import { COMMENT_LIMIT, NAME_LIMIT, SCALE_WORDS, SCORES } from "../../rating/scale.js";
import type { RatingsOverview } from "../rating-protocol.js";
import { ask, useAnswer } from "./api.js";
import { Answered } from "./components/states.js";
import { queryText } from "./router.js";

interface RatePageProps {
  /** The run, where the server has several. */
  run?: string;
  /** Address of the results, where this server shows them. */
  results?: string;
}

const NAME_KEY = "coppice-rater";

export function RatePage({ run, results }: RatePageProps) {
  const [desk, setDesk] = useState<Desk>();
  const overview = useAnswer<RatingsOverview>(`/api/ratings/progress${queryText({ run })}`);
  if (desk) return <Sitting first={desk} run={run} results={results} leave={() => setDesk(undefined)} />;
  return (
    <Answered
      answer={overview}
      show={({ total, raters }) => (
        <NameEntry total={total} known={raters.map(({ name }) => name)} run={run} enter={setDesk} />
      )}
    />
  );
}

interface NameEntryProps {
  total: number;
  known: readonly string[];
  run: string | undefined;
  enter: (desk: Desk) => void;
}

function NameEntry({ total, known, run, enter }: NameEntryProps) {
  const [name, setName] = useState(remembered);
  const [error, setError] = useState("");
  const start = async (event: Event) => {
    event.preventDefault();
    try {
      const desk = await ask<Desk>(`/api/ratings/next${queryText({ run, rater: name })}`);
      remember(desk.rater);
      enter(desk);
    } catch (failure) {
      setError(sentence(failure));
    }
  };
  return (
    <form class="rate-name" onSubmit={start}>
      <h1>Rate translations</h1>
      <p>
        You will see {total} sentences, each with what was written for it. Give every text 0 to 6. Who wrote
        what is not shown. You may stop at any time: under the same name you go on where you were.
      </p>
      <label for="rater">Your name</label>
      <input
        id="rater"
        type="text"
        list="raters"
        maxLength={NAME_LIMIT}
        autocomplete="off"
        required
        value={name}
        onInput={({ currentTarget }) => setName(currentTarget.value)}
        data-testid="rater"
      />
      <datalist id="raters">
        {known.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <p class="rate-message" role="alert">
        {error}
      </p>
      <button type="submit" class="primary" data-testid="start">
        Start
      </button>
    </form>
  );
}

interface SittingProps {
  first: Desk;
  run: string | undefined;
  results: string | undefined;
  leave: () => void;
}

/** One rater at work, from the first item to the last. */
function Sitting({ first, run, results, leave }: SittingProps) {
  const [desk, setDesk] = useState(first);
  const [before, setBefore] = useState<Undone | null>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  // A key that is held down must not send twice: state is only seen at the next drawing.
  const sending = useRef(false);

  const send = async (action: "rate" | "skip" | "undo", body: object) => {
    if (sending.current) return;
    sending.current = true;
    setBusy(true);
    setError("");
    try {
      const answer = await ask<Desk & { undone?: Undone | null }>(
        `/api/ratings/${action}${queryText({ run })}`,
        { body: { round: desk.round, rater: desk.rater, ...body } },
      );
      if (action === "undo" && answer.undone === null) setError("There is nothing to undo.");
      setBefore(answer.undone ?? null);
      setDesk(answer);
    } catch (failure) {
      setError(sentence(failure));
    } finally {
      sending.current = false;
      setBusy(false);
    }
  };

  const undo = () => send("undo", {});
  const { rated, skipped, total } = desk.progress;
  return (
    <section aria-label="Rating" aria-busy={busy}>
      <div class="rate-bar">
        <span>
          Rated by <bdi>{desk.rater}</bdi>
        </span>
        <progress aria-label="Progress" max={total} value={rated + skipped} />
        <span data-testid="progress">
          {rated + skipped} of {total}
          {skipped > 0 && `, ${skipped} skipped`}
        </span>
        <button type="button" class="small" onClick={leave}>
          Another rater
        </button>
      </div>
      {desk.next ? (
        <ItemForm
          // Drawn anew for another item, and for the same one given out again.
          key={`${desk.next.item}/${before === null ? "" : "again"}`}
          shown={desk.next}
          before={before}
          error={error}
          rate={(scores, comment) => send("rate", { item: desk.next?.item, scores, comment })}
          skip={(comment) => send("skip", { item: desk.next?.item, comment })}
          undo={undo}
        />
      ) : (
        <Finished error={error} undo={undo} results={results} />
      )}
    </section>
  );
}

interface FinishedProps {
  error: string;
  undo: () => void;
  results: string | undefined;
}

function Finished({ error, undo, results }: FinishedProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <div class="state" data-testid="finished">
      <h1 ref={heading} tabIndex={-1}>
        That was the last one. Thank you.
      </h1>
      <p>Everything is stored. You can close this page.</p>
      {results && (
        <p>
          <a href={results}>See the results</a>
        </p>
      )}
      <button type="button" onClick={undo}>
        Undo the last
      </button>
      <p class="rate-message" role="alert">
        {error}
      </p>
    </div>
  );
}

interface ItemFormProps {
  shown: ShownItem;
  /** What was given for this item before it was taken back. */
  before: Undone | null;
  error: string;
  rate: (scores: number[], comment: string) => void;
  skip: (comment: string) => void;
  undo: () => void;
}

function ItemForm({ shown, before, error, rate, skip, undo }: ItemFormProps) {
  const { item, source, outputs } = shown;
  const [scores, setScores] = useState<(number | null)[]>(before?.scores ?? outputs.map(() => null));
  const [comment, setComment] = useState(before?.comment ?? "");
  const [missing, setMissing] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const active = useRef(0);

  /** The chosen point of an output, or its first. */
  const focusOutput = (output: number) => {
    const points = form.current?.querySelectorAll<HTMLInputElement>(`input[name="output-${output}"]`) ?? [];
    const wanted = [...points].find(({ checked }) => checked) ?? points[0];
    wanted?.focus();
  };
  // Once an item: the form is drawn anew for the next. A layout effect, here and below: between the drawing and a plain
  // effect a key would be lost.
  useLayoutEffect(() => focusOutput(0), []);

  const give = (output: number, score: number) => {
    setMissing("");
    setScores((all) => all.map((one, i) => (i === output ? score : one)));
  };
  const next = () => {
    const open = scores.indexOf(null);
    if (open < 0) {
      rate(
        scores.map((score) => score ?? 0),
        comment,
      );
      return;
    }
    setMissing(`Translation ${open + 1} has no rating yet: give it 0 to 6, or skip the sentence.`);
    focusOutput(open);
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target instanceof HTMLTextAreaElement) {
      if (event.key !== "Escape") return;
      event.preventDefault();
      focusOutput(active.current);
      return;
    }
    const action = actionOf(event.key);
    if (!action) return;
    // Enter on a button is the button's.
    if (event.key === "Enter" && event.target instanceof HTMLButtonElement) return;
    event.preventDefault();
    // A key held down would skip or undo many.
    if (!event.repeat) action();
  };
  const actionOf = (key: string): (() => void) | undefined => {
    const score = SCORES.find((one) => String(one) === key);
    if (score !== undefined)
      return () => {
        give(active.current, score);
        form.current
          ?.querySelector<HTMLInputElement>(`input[name="output-${active.current}"][value="${score}"]`)
          ?.focus();
      };
    switch (key) {
      case "ArrowDown":
        return () => focusOutput(Math.min(outputs.length - 1, active.current + 1));
      case "ArrowUp":
        return () => focusOutput(Math.max(0, active.current - 1));
      case "Enter":
        return next;
      case "s":
        return () => skip(comment);
      case "u":
        return undo;
      case "c":
        return () => form.current?.querySelector("textarea")?.focus();
      default:
        return undefined;
    }
  };
  // On the whole page: keys work wherever the focus is, as after a click beside the form.
  const latest = useRef(onKey);
  latest.current = onKey;
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => latest.current(event);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);

  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        next();
      }}
      data-testid="item"
      data-item={item}
    >
      <h1>How much of the meaning is kept?</h1>
      <h2 class="rate-label">Source</h2>
      <p class="rate-source" dir="auto" data-testid="source">
        {source}
      </p>
      <div class="rate-outputs">
        {outputs.map((text, output) => (
          <OutputChoice
            key={output}
            number={output}
            of={outputs.length}
            text={text}
            score={scores[output] ?? null}
            give={(score) => give(output, score)}
            enter={() => {
              active.current = output;
            }}
          />
        ))}
      </div>
      <div class="rate-comment">
        <label for="comment">Comment, if you like</label>
        <textarea
          id="comment"
          maxLength={COMMENT_LIMIT}
          value={comment}
          onInput={({ currentTarget }) => setComment(currentTarget.value)}
          data-testid="comment"
        />
      </div>
      <p class="rate-message" role="alert" data-testid="message">
        {missing || error}
      </p>
      <div class="rate-actions">
        <button type="submit" class="primary" data-testid="next">
          Next
        </button>
        <button type="button" onClick={() => skip(comment)} data-testid="skip">
          Skip
        </button>
        <button type="button" onClick={undo} data-testid="undo">
          Undo the last
        </button>
      </div>
      <p class="note">
        Keys: <kbd>0</kbd> to <kbd>6</kbd> rate, <kbd>↑</kbd> <kbd>↓</kbd> or <kbd>Tab</kbd> go to another
        translation, <kbd>Enter</kbd> next, <kbd>s</kbd> skip, <kbd>u</kbd> undo, <kbd>c</kbd> comment (
        <kbd>Esc</kbd> leaves it).
      </p>
    </form>
  );
}

interface OutputChoiceProps {
  /** From 0. */
  number: number;
  of: number;
  text: string;
  score: number | null;
  give: (score: number) => void;
  /** Called when the focus comes in. */
  enter: () => void;
}

function OutputChoice({ number, of, text, score, give, enter }: OutputChoiceProps) {
  const id = `output-text-${number}`;
  return (
    <fieldset class="rate-output" onFocusIn={enter} aria-describedby={id} data-testid={`output-${number}`}>
      <legend>
        Translation {number + 1} of {of}
      </legend>
      <p class="rate-text" id={id} dir="auto">
        {text === "" ? <span class="faint">(nothing was written)</span> : text}
      </p>
      <div class="rate-scale">
        {SCORES.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name={`output-${number}`}
              value={one}
              checked={score === one}
              onChange={() => give(one)}
            />
            <span>{one}</span>
            {SCALE_WORDS[one] !== undefined && <small>{SCALE_WORDS[one]}</small>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function sentence(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** A browser may forbid storage; then the name is asked for each time. */
function remembered(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? "";
  } catch {
    return "";
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // See `remembered`.
  }
}
