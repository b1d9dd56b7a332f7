/** @jsxRuntime automatic @jsxImportSource preact */

/** A part of a page under its heading. */

import type { ComponentChildren } from "preact";

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
