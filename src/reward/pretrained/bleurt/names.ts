/** What the two layouts of a BLEURT checkpoint call the weights of `network.ts`. */

import { transformersName } from "../../../model/bert-encoder.js";

/** A table of embeddings, a layer's matrix or its bias, or a normalisation's scale or shift. */
type Kind = "table" | "kernel" | "bias" | "scale" | "shift";

export function kindOf(weight: string): Kind {
  const isWeight = weight.endsWith(".weight");
  if (/^embeddings\.(?:word|position|type)\./.test(weight)) return "table";
  if (/norm\.(?:weight|bias)$/.test(weight)) return isWeight ? "scale" : "shift";
  return isWeight ? "kernel" : "bias";
}

const SUFFIXES: Readonly<Record<Kind, string>> = {
  table: "",
  kernel: "/kernel",
  bias: "/bias",
  scale: "/gamma",
  shift: "/beta",
};

/** TensorFlow's name: `layers.0.inner.weight` is `bert/encoder/layer_0/intermediate/dense/kernel`. */
export function variableName(weight: string): string {
  const layer = layerOf(weight);
  const path =
    layer === "head"
      ? "dense"
      : `bert/${layer.replace(/\.layer\.(\d+)\./, ".layer_$1.").replaceAll(".", "/")}`;
  return path + SUFFIXES[kindOf(weight)];
}

/** The PyTorch port's name: `layers.0.inner.weight` is `bleurt.encoder.layer.0.intermediate.dense.weight`. */
export function portName(weight: string): string {
  const layer = layerOf(weight);
  const path =
    layer === "head"
      ? "classifier"
      : `bleurt.${layer.replace("embedding_hidden_mapping_in", "embedding_projection")}`;
  return path + weight.slice(weight.lastIndexOf("."));
}

/** Where a weight belongs: as Transformers names it, without `.weight` or `.bias`; or `head`. */
function layerOf(weight: string): string {
  if (weight.startsWith("head.")) return "head";
  if (weight.startsWith("pooler.")) return "pooler.dense";
  const name = transformersName(weight);
  return name.slice(0, name.lastIndexOf("."));
}
