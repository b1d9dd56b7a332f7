/** Parts of an ONNX file that every writer of one needs: attributes of nodes, and what a value is. */

import onnxProto, { type onnx } from "onnx-proto";
import type { AttributeValue } from "./attribute.js";
import type { Shape } from "./shape.js";

const { AttributeType } = onnxProto.onnx.AttributeProto;

export function attribute(name: string, value: AttributeValue): onnx.IAttributeProto {
  if (typeof value === "number") return { name, type: AttributeType.INT, i: value };
  if (typeof value === "string")
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if ("rawData" in value) return { name, type: AttributeType.TENSOR, t: value };
  return { name, type: AttributeType.INTS, ints: [...value] };
}

/** Name, element type (ONNX's number) and shape of an input or output; text in a shape names a free dimension. */
export function valueInfo(name: string, elemType: number, shape: Shape): onnx.IValueInfoProto {
  const dim = shape.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
