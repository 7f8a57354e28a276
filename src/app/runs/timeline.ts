import type { RunFacts, RunStep } from './run-facts.ts'

export type Bar = { readonly left: number; readonly width: number }

/** The least that a bar is drawn wide, in percent: a step of a millisecond is still a step. */
const NARROWEST = 1.5

/**
 * Where each step's bar stands, in percent of the run's time; null for a step that never started. `now` is the end of
 * what still goes on.
 */
export const stepBars = (
  run: Pick<RunFacts, 'startedAt' | 'finishedAt'>,
  steps: readonly Pick<RunStep, 'startedAt' | 'finishedAt'>[],
  now: Date
): (Bar | null)[] => {
  const starts = steps.flatMap(({ startedAt }) => (startedAt === null ? [] : [Date.parse(startedAt)]))
  if (run.startedAt !== null) starts.push(Date.parse(run.startedAt))
  const from = Math.min(...starts)
  const to = run.finishedAt === null ? now.getTime() : Date.parse(run.finishedAt)
  const span = Math.max(1, to - from)
  return steps.map(({ startedAt, finishedAt }) => {
    if (startedAt === null) return null
    const start = Date.parse(startedAt)
    const end = finishedAt === null ? to : Date.parse(finishedAt)
    const width = Math.min(100, Math.max(NARROWEST, ((end - start) / span) * 100))
    return { left: Math.max(0, Math.min(100 - width, ((start - from) / span) * 100)), width }
  })
}
