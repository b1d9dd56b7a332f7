/** Algorithm 1 of the paper (arXiv 2308.08998): Reinforced Self-Training, line by line. */

/** What the loop asks for; how each is done, stored and resumed is not its business. */
export interface Algorithm<Policy, Candidates> {
  /** G, the number of Grow steps. */
  readonly growSteps: number;
  /** I, the number of Improve steps after each Grow. */
  readonly improveSteps: number;
  /** Trains θ on D by L_NLL: G=0 I=0. */
  imitate(): Promise<Policy>;
  /** D_g = {(x, y) : x ∈ D, y ∼ π_θ(y|x)} ∪ D, every pair scored once with R(x, y). */
  grow(policy: Policy, grow: number): Promise<Candidates>;
  /** Chooses τ_i: above V^π = E_{D_g}[R] and above τ_{i−1}; minimises E_{D_g}[1[R > τ_i]·L] while the reward on D_eval rises. */
  improve(policy: Policy, candidates: Candidates, grow: number, improve: number): Promise<Policy>;
}

/** Returns the last policy; each Grow samples from the policy that the last Improve gave. */
export async function rest<Policy, Candidates>(algorithm: Algorithm<Policy, Candidates>): Promise<Policy> {
  let policy = await algorithm.imitate();
  for (let grow = 1; grow <= algorithm.growSteps; grow++) {
    const candidates = await algorithm.grow(policy, grow);
    for (let improve = 1; improve <= algorithm.improveSteps; improve++) {
      policy = await algorithm.improve(policy, candidates, grow, improve);
    }
  }
  return policy;
}
