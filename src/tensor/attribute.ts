/**
 * Values of attributes of ONNX nodes. Apart from what writes them, for the public types lead here, and onnx-proto's own
 * declarations do not compile for a user who checks those of libraries.
 */

/** An attribute of an ONNX node; a plain number is an integer. */
export type AttributeValue = number | string | readonly number[] | FloatAttribute | TensorAttribute;

export interface FloatAttribute {
  readonly float: number;
}

/** A constant. */
export interface TensorAttribute {
  readonly name: string;
  readonly dataType: number;
  readonly dims: number[];
  readonly rawData: Uint8Array;
}
