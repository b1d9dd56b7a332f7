/** The linear layers of a Marian encoder or decoder layer that an adapter may change, as PEFT's `target_modules` names them. */
export const loraTargets = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"] as const;
export type LoraTarget = (typeof loraTargets)[number];
