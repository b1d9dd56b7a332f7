/** Shapes whose dimensions may be symbols, so that one graph serves every batch size and length. */

/** A whole number, a symbol (`"batch"`), or a product of both (`"4*batch*time"`). */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** The product of dimensions, in one canonical spelling so that equal products are equal strings. */
export function times(...dims: readonly Dim[]): Dim {
  let factor = 1;
  const symbols: string[] = [];
  for (const part of dims.flatMap((dim) => String(dim).split("*"))) {
    if (/^\d+$/.test(part)) factor *= Number(part);
    else symbols.push(part);
  }
  if (symbols.length === 0) return factor;
  symbols.sort();
  return factor === 1 ? symbols.join("*") : [factor, ...symbols].join("*");
}

/** The number a dimension stands for once its symbols are known. */
export function evaluate(dim: Dim, symbols: Readonly<Record<string, number>>): number {
  if (typeof dim === "number") return dim;
  return dim.split("*").reduce((product, part) => {
    const value = /^\d+$/.test(part) ? Number(part) : symbols[part];
    if (value === undefined) throw new Error(`dimension ${part} has no value`);
    return product * value;
  }, 1);
}

/** How many elements a shape holds. */
export function elementsOf(shape: Shape, symbols: Readonly<Record<string, number>> = {}): number {
  return shape.reduce<number>((product, dim) => product * evaluate(dim, symbols), 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** The shape of an element-wise operation's result, by NumPy's rule: align at the right, 1 stretches. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new Error(`shapes [${a}] and [${b}] do not broadcast: ${x} against ${y}`);
  });
}
