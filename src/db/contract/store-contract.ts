import type { DbContext } from '../ports.ts'

/** What a contract suite is given: how to open a fresh context, and how it asks for clock and ids. */
export type OpenContext = () => Promise<DbContext>

/** A clock and ids that a test can foresee. */
export const testWorld = (): { now: () => string; newId: () => string } => {
  let ticks = 0
  return {
    now: () => new Date(Date.UTC(2026, 0, 1) + ticks++).toISOString(),
    newId: () => `id-${ticks++}`
  }
}

/** A row of `workflows`, which no other table needs. */
export const workflowRow = (id: string, name = id) => ({ id, name, created_at: '2026-01-01T00:00:00.000Z' })
