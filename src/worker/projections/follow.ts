import { failAt, type Live, type Parts } from './live.ts'
import { changesOf, createReader, entriesOf, headOf, readHeard, WINDOW } from './replay.ts'
import { saveCheckpoint } from './states.ts'

/** May it go on following the log? */
export const isFollowing = ({ projection, state, isResting }: Live): boolean =>
  projection.mode === 'async' &&
  state.pausedAt === null &&
  state.parked === null &&
  state.rebuild === null &&
  !isResting

/**
 * Brings an async projection one batch further: rows and checkpoint in one transaction. A batch that fails is taken
 * again event by event. Answers whether there may be more.
 */
export const followStep = async (parts: Parts, live: Live): Promise<boolean> => {
  const { context, now, skips } = parts
  const { projection } = live
  const head = await headOf(context)
  if (head <= live.scanned) return false
  const isSingle = live.scanned < live.singlyUpTo
  const limit = isSingle ? 1 : WINDOW
  const end = Math.min(head, live.scanned + WINDOW)
  const events = await readHeard(context, [projection], live.scanned, end, limit)
  const upTo = isSingle ? (events[0]?.position ?? end) : end
  const entries = entriesOf(projection, { events, writes: [] }, 0)
  const [first] = entries
  if (first === undefined) {
    live.scanned = upTo
    return true
  }
  const checkpoint = { position: upTo, version: projection.version, at: now() }
  try {
    const changes = changesOf(projection, entries, skips(), createReader())
    await context.tx.runInTransaction(async (tx) => {
      await tx.projectionStore.apply({ changes })
      await saveCheckpoint(tx, projection.name, checkpoint)
    })
  } catch (thrown) {
    if (isSingle || entries.length === 1) await failAt(parts, live, first, thrown)
    else live.singlyUpTo = upTo
    return true
  }
  live.scanned = upTo
  live.failing = null
  live.state = { ...live.state, checkpoint }
  return true
}
