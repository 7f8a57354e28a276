import type { RunProgress, RunStatus } from '../api.ts'

/** How often a run's progress is told at the most. */
const INTERVAL_MS = 100

type Steps = RunProgress['steps']

/** Gathers what happens in runs and tells it to whoever listens. */
export type ProgressBoard = {
  listen(listener: (progress: RunProgress) => void): () => void
  status(runId: string, status: RunStatus): void
  step(runId: string, nodeId: string, change: Partial<Steps[string]>): void
}

const isOver = (status: RunStatus): boolean => status !== 'queued' && status !== 'running'

export const createProgressBoard = (clock: () => number = () => performance.now()): ProgressBoard => {
  const listeners = new Set<(progress: RunProgress) => void>()
  const runs = new Map<string, { since: number; status: RunStatus; steps: Steps; isDue: boolean }>()

  const runOf = (runId: string) => {
    const known = runs.get(runId)
    if (known !== undefined) return known
    const fresh = { since: clock(), status: 'queued' as RunStatus, steps: {} as Steps, isDue: false }
    runs.set(runId, fresh)
    return fresh
  }

  const tell = (runId: string): void => {
    const run = runOf(runId)
    run.isDue = false
    const progress = { runId, status: run.status, elapsedMs: clock() - run.since, steps: { ...run.steps } }
    for (const listener of listeners) listener(progress)
    if (isOver(run.status)) runs.delete(runId)
  }

  const tellSoon = (runId: string): void => {
    const run = runOf(runId)
    if (run.isDue) return
    run.isDue = true
    setTimeout(() => {
      if (runs.has(runId)) tell(runId)
    }, INTERVAL_MS)
  }

  return {
    listen: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    status: (runId, status) => {
      const run = runOf(runId)
      run.status = status
      if (isOver(status)) tell(runId)
      else tellSoon(runId)
    },
    step: (runId, nodeId, change) => {
      const run = runOf(runId)
      const before = run.steps[nodeId] ?? { status: 'running', rowsOut: null, ms: null }
      run.steps = { ...run.steps, [nodeId]: { ...before, ...change } }
      tellSoon(runId)
    }
  }
}
