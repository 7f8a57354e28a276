import type { DbContext, Row } from '../db/ports.ts'
import { toFlowForgeError } from '../db/ports.ts'

export type LiveAnswer = { rows: Row[] } | { error: { code: string; message: string } }
type Query = { sql: string; params?: unknown[] }

/** A query is asked at most so often where nothing else is said: about once a frame. What comes meanwhile is gathered. */
const FRAME_MS = 16

/**
 * Follows a read-only query: its rows now, and again after each commit that wrote a table it reads, at most once a
 * frame (or every `restMs`), never two at a time, and not before the listener's answer to the last rows has settled. The tables are those
 * that SQLite's authorizer named when it was last asked; after a failure, any. A listener that fails is told of the next change all the same.
 */
export const followQuery = (
  context: DbContext,
  query: Query,
  listener: (answer: LiveAnswer) => unknown,
  restMs = FRAME_MS
): (() => void) => {
  let tables: ReadonlySet<string> | null = null
  let isAsking = false
  let isStale = false
  let isOver = false
  let askedAt = -Infinity

  const read = async (): Promise<LiveAnswer> => {
    try {
      const answer = await context.projectionStore.read(query)
      tables = new Set(answer.tables)
      return { rows: answer.rows }
    } catch (thrown) {
      tables = null
      const { code, message } = toFlowForgeError(thrown)
      return { error: { code, message } }
    }
  }

  const ask = async (): Promise<void> => {
    isAsking = true
    isStale = false
    askedAt = performance.now()
    try {
      const answer = await read()
      if (!isOver) await listener(answer)
    } catch (thrown) {
      // Nobody waits for this: the listener is told again when something has changed.
      console.error('A listener of a live query failed', thrown)
    } finally {
      isAsking = false
      if (isStale) schedule()
    }
  }

  /** A change after a pause is shown at once; only those that follow it closely wait for their turn. */
  const schedule = (): void => {
    const rest = askedAt + restMs - performance.now()
    setTimeout(
      () => {
        if (isOver || isAsking || !isStale) return
        void ask()
      },
      Math.max(0, rest)
    )
  }

  const stop = context.onCommit((commit) => {
    // A query that has not been answered yet, or failed, may read any table.
    if (tables !== null && ![...tables].some((table) => commit.tables.has(table))) return
    if (isStale) return
    isStale = true
    if (!isAsking) schedule()
  })

  void ask()
  return () => {
    isOver = true
    stop()
  }
}
