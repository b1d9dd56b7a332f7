/** What the graph of a TensorFlow SavedModel tells of the network, and its configuration does not. */

import { readFile } from "node:fs/promises";
import { UserError } from "../../../errors.js";
import { fileError } from "../../../model/files.js";
import { ProtobufError, protobufFields } from "../../../protobuf.js";

/**
 * How `saved_model.pb` computes GELU, which its configuration calls "gelu" in either case: BLEURT's own code approximates it by
 * tanh, a graph with the error function has the exact one.
 * @throws UserError where the file cannot be read or is no SavedModel.
 */
export async function savedGelu(file: string): Promise<"gelu" | "gelu-tanh"> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fileError(error, "be read", file);
  });
  return geluOf(bytes, file);
}

/** The same of the file's bytes. */
export function geluOf(savedModel: Uint8Array, file: string): "gelu" | "gelu-tanh" {
  try {
    const operations = new Set<string>();
    for (const metaGraph of messages(savedModel, 2))
      for (const graph of messages(metaGraph, 2)) addOperations(graph, operations);
    if (operations.size === 0) throw new ProtobufError("holds no graph");
    return operations.has("Erf") || operations.has("Erfc") ? "gelu" : "gelu-tanh";
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new UserError(
      `${error.message}: this is not a SavedModel. Copy the checkpoint's folder again.`,
      { file },
      { cause: error },
    );
  }
}

/** The kinds of nodes in a `GraphDef` and in its library of functions. */
function addOperations(graph: Uint8Array, operations: Set<string>): void {
  for (const node of messages(graph, 1)) addOperation(node, operations);
  for (const library of messages(graph, 2))
    for (const definition of messages(library, 1))
      for (const node of messages(definition, 3)) addOperation(node, operations);
}

function addOperation(node: Uint8Array, operations: Set<string>): void {
  for (const operation of messages(node, 2)) operations.add(Buffer.from(operation).toString("utf8"));
}

/** The messages or texts in field `wanted` of a message. */
function* messages(message: Uint8Array, wanted: number): Generator<Uint8Array> {
  for (const { number, value } of protobufFields(message)) {
    if (number !== wanted) continue;
    if (typeof value === "number") throw new ProtobufError(`has a number in field ${number}`);
    yield value;
  }
}
