import type { Transactions } from './transactions.ts'

/** While events come in, the background rests for so many times as long as its last piece took: they have the database before it. */
const REST = 3
/** So long after a commit of events, in ms, more are expected. */
const BUSY_MS = 50

/**
 * Pieces of work in the background, each a turn of its own: a call waits for one of them at the most, and while events
 * come in for few.
 */
export type BackgroundTurns = {
  /** Answers when the piece is done and has been rested from. @throws what the work throws */
  readonly take: <T>(writes: boolean, work: () => T) => Promise<T>
  readonly stop: () => void
}

export const createBackgroundTurns = (
  transactions: Pick<Transactions, 'perform' | 'onCommit'>
): BackgroundTurns => {
  /** When events were last committed, in ms of `performance.now()`. */
  let grewAt = -Infinity
  const stop = transactions.onCommit(({ tables }) => {
    if (tables.has('events')) grewAt = performance.now()
  })
  return {
    take: async (writes, work) => {
      let [began, ended] = [0, 0]
      const value = await transactions.perform(null, writes, () => {
        began = performance.now()
        const done = work()
        ended = performance.now()
        return done
      })
      const rest = REST * (ended - began)
      if (performance.now() - grewAt < BUSY_MS) await new Promise((resolve) => setTimeout(resolve, rest))
      return value
    },
    stop
  }
}
