import type { Kill } from './chain.ts'
import type { Scenario } from './scenarios.ts'

export type Counted = { readonly kills: Map<Kill, number>; met: number }

/** What came of the kills of a run. */
export type Tally = {
  kills: number
  verified: number
  events: number
  readonly scenarios: Map<Scenario, Counted>
  readonly failures: { readonly seed: number; readonly steps: readonly string[]; readonly message: string }[]
  /** @param isMet whether what the scenario is about was under way */
  count(scenario: Scenario, how: Kill, isMet: boolean): void
  fail(seed: number, steps: readonly string[], message: string): void
}

export const createTally = (): Tally => {
  const tally: Tally = {
    kills: 0,
    verified: 0,
    events: 0,
    scenarios: new Map(),
    failures: [],
    count: (scenario, how, isMet) => {
      const counted = tally.scenarios.get(scenario) ?? { kills: new Map(), met: 0 }
      tally.scenarios.set(scenario, counted)
      counted.kills.set(how, (counted.kills.get(how) ?? 0) + 1)
      if (isMet) counted.met += 1
      tally.kills += 1
    },
    fail: (seed, steps, message) => void tally.failures.push({ seed, steps, message })
  }
  return tally
}
