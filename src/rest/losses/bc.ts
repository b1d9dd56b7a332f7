/**
 * BC: the filtered log-likelihood, J(θ) = E_{(x,y)∼D_g}[F(x, y; τ)·L_NLL(x, y; θ)] with L_NLL = −Σₜ log π_θ(yₜ|y₍<t₎, x) (Eq. 3).
 * The filter F has been applied when an example gets here.
 */

import { logLikelihood } from "../../policy/loss.js";
import type { ImproveLoss } from "./loss.js";

export const bc: ImproveLoss<unknown> = {
  needs: [],
  make: () => logLikelihood,
};
