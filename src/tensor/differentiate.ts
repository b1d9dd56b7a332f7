/** Reverse-mode differentiation of a recorded graph. */

import type { Value } from "./graph.js";
import { add, operations, type RowGradient, reshape, sum } from "./operations.js";
import { sameShape } from "./shape.js";

/** The gradient of one parameter: a dense part, and rows that the caller adds to it. */
export interface Gradient {
  readonly dense: Value | undefined;
  readonly rows: readonly RowGradient[];
}

/**
 * The gradient of the scalar `loss` with respect to each of `parameters` (any values of the graph).
 * @throws Error when `loss` is not a scalar.
 */
export function gradients(loss: Value, parameters: readonly Value[]): Gradient[] {
  if (loss.shape.length !== 0) throw new Error(`only a scalar has gradients, not [${loss.shape}]`);
  const graph = loss.graph;
  const needed = dependents(loss, new Set(parameters));
  const dense = new Map<Value, Value>([[loss, graph.constant(1)]]);
  const rows = new Map<Value, RowGradient[]>();

  // Values are recorded after their inputs, so walking ids downwards meets each value when its gradient is complete.
  for (let id = loss.id; id >= 0; id--) {
    const value = graph.values[id]!;
    const dOut = dense.get(value);
    if (!dOut || value.source.kind !== "operation" || !needed.has(value)) continue;
    const { operation, inputs, attributes } = value.source;
    const dInputs = graph.scope(`${value.name}.grad`, () =>
      operations[operation].grad({ inputs, out: value, dOut, attributes }),
    );
    inputs.forEach((input, i) => {
      const dInput = dInputs[i];
      if (!dInput || !needed.has(input)) return;
      if ("ids" in dInput) {
        if (input.source.kind === "operation")
          throw new Error(`${value.name}: only a parameter can be an embedding's matrix`);
        rows.set(input, [...(rows.get(input) ?? []), dInput]);
        return;
      }
      const reduced = graph.scope(`${value.name}.grad`, () => unbroadcast(dInput, input));
      const known = dense.get(input);
      dense.set(input, known ? add(known, reduced) : reduced);
    });
  }
  return parameters.map((parameter) => ({
    dense: dense.get(parameter),
    rows: rows.get(parameter) ?? [],
  }));
}

/** The values between `parameters` and `loss`: gradients of anything else are never asked for. */
function dependents(loss: Value, parameters: ReadonlySet<Value>): Set<Value> {
  const needed = new Set<Value>();
  for (const value of loss.graph.values) {
    if (value.id > loss.id) break;
    const { source } = value;
    if (
      parameters.has(value) ||
      (source.kind === "operation" && source.inputs.some((input) => needed.has(input)))
    )
      needed.add(value);
  }
  return needed;
}

/** Sums a gradient over the dimensions along which `input` was stretched. */
function unbroadcast(dInput: Value, input: Value): Value {
  if (sameShape(dInput.shape, input.shape)) return dInput;
  const extra = dInput.shape.length - input.shape.length;
  const axes = [...dInput.shape.keys()].filter(
    (axis) => axis < extra || (input.shape[axis - extra] === 1 && dInput.shape[axis] !== 1),
  );
  return reshape(axes.length > 0 ? sum(dInput, axes) : dInput, input.shape);
}
