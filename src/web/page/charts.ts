/** The chart library, a chunk of its own. Expressions are interpreted: the server's policy forbids making code from text. */

import embed from "vega-embed";

export interface DrawnChart {
  /** The drawing as a file that stands by itself. */
  svg(): Promise<string>;
  remove(): void;
}

/** Draws into `place`, in place of what is there. */
export async function draw(place: HTMLElement, spec: object): Promise<DrawnChart> {
  // vega-embed checks what it is given; its own type is a union of every specification.
  const { view, finalize } = await embed(place, spec as Parameters<typeof embed>[1], {
    ast: true,
    actions: false,
    renderer: "svg",
    // A chart is one picture with one description: its parts are not read out.
    config: { aria: false, mark: { aria: false } },
    // Both would write style elements, which the policy forbids.
    defaultStyle: false,
    tooltip: false,
  });
  return { svg: () => view.toSVG(), remove: finalize };
}
