/** The layouts that `coppice export` writes; apart from their writers, which the command loads when it runs. */

export const layoutNames = ["huggingface", "transformers-js", "peft", "card"] as const;
export type LayoutName = (typeof layoutNames)[number];
