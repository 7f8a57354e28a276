import type { Scenario } from './scenarios.ts'

/** How long things take on this machine, in ms, so that a kill comes into them. */
export type Measures = Map<Scenario, number>

const FIRST_MS: Partial<Record<Scenario, number>> = { rebuild: 60, backup: 120, restore: 400, migration: 600 }

export const toMeasures = (known: Measures) => ({
  of: (scenario: Scenario): number => known.get(scenario) ?? FIRST_MS[scenario] ?? 100,
  note: (scenario: Scenario, ms: number): void =>
    void known.set(scenario, ((known.get(scenario) ?? ms) + ms) / 2)
})
