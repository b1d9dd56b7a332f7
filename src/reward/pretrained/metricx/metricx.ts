/** MetricX (Juraska et al. 2023, 2024): mT5 fine-tuned on human ratings to predict the MQM error score of a translation. */

import type { PretrainedFamily } from "../family.js";

export const metricx: PretrainedFamily = {
  name: "metricx",
  variants: ["metricx-23", "metricx-23-qe", "metricx-24", "metricx-24-qe"],
  known: [],
  recognises: async () => false,
  files: async () => [],
  open: async () => {
    throw new Error("not written yet");
  },
};
