/** What stands where there is nothing to show yet, nothing at all, or something failed; each says what to do. */

import type { ComponentChildren } from "preact";
import type { Answer } from "../api.js";

export function Loading({ what = "Loading" }: { what?: string }) {
  return (
    <p class="state" role="status" data-testid="loading">
      <span class="spinner" aria-hidden="true" /> {what}…
    </p>
  );
}

/** `children` says what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state" data-testid="empty">
      <p class="state-title">{title}</p>
      {children}
    </div>
  );
}

/** `missing`: what was asked for is not there, or not yet, which is no failure. */
export function ErrorState({
  error,
  again,
  missing = false,
}: {
  error: string;
  again?: () => void;
  missing?: boolean;
}) {
  return (
    <div class={missing ? "state" : "state failed"} role="alert" data-testid="error">
      <p class="state-title">{missing ? "There is nothing here" : "This did not work"}</p>
      <p>{error}</p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** The answer by `show`, or what stands in its place; an older answer stays while a new one is awaited. */
export function Answered<T>({
  answer,
  show,
  what,
}: {
  answer: Answer<T>;
  show: (data: T) => ComponentChildren;
  what?: string;
}) {
  if (answer.state === "failed")
    return <ErrorState error={answer.error} again={answer.again} missing={answer.missing} />;
  if (answer.data === undefined) return <Loading {...(what === undefined ? {} : { what })} />;
  return <div class={answer.state === "loading" ? "stale" : undefined}>{show(answer.data)}</div>;
}
