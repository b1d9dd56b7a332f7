/** What the targets are called; apart from their writers, which a command loads when it needs them. */

export const recordTargets = [
  "tensorboard",
  "mlflow",
  "wandb",
  "csv",
  "jsonl",
  "parquet",
  "datasets",
] as const;
export type RecordTarget = (typeof recordTargets)[number];

export function isRecordTarget(name: string): name is RecordTarget {
  return recordTargets.some((target) => target === name);
}
