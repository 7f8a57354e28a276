import { FlowForgeError, type DbContext } from '../db/ports.ts'
import type { LogBatch } from './api.ts'

/** How many events are read, and handed on, at a time. */
const BATCH = 500

export type SubscriptionArgs = {
  /** The events after this position; where none is given, those that come from now on. */
  readonly afterPosition?: number | undefined
  readonly aggregateType?: string | undefined
  readonly eventType?: string | undefined
  /** Which history the position is of; the present one where none is given. */
  readonly generation?: number | undefined
}

const replaced = (): FlowForgeError =>
  new FlowForgeError(
    'CONFLICT',
    'A restore has put another history in the place of the one that was followed: its positions no longer hold. Read anew what you keep of it, then subscribe again.',
    { reason: 'history-replaced' }
  )

/**
 * Hands on what the log holds after a position and then what comes, in order, each event once. The next batch is read
 * when the listener's answer to the last one has settled, so a slow listener holds nothing but itself. A listener that
 * throws ends its subscription and `onFailure` hears why, as it does of a log that cannot be read, and of a history that is not
 * the one that was followed. The first batch holds no event: it says where, and in which history, the subscription begins.
 */
export const followEvents = (
  context: DbContext,
  args: SubscriptionArgs,
  listener: (batch: LogBatch) => unknown,
  onFailure: (thrown: unknown) => void
): (() => void) => {
  const { afterPosition, generation: wanted, ...filters } = args
  const { generation } = context.backup.place()
  if (wanted !== undefined && wanted !== generation) {
    queueMicrotask(() => onFailure(replaced()))
    return () => undefined
  }
  let position = afterPosition ?? null
  let hasBegun = false
  let isBusy = false
  let isStale = false
  let isOver = false

  const headOf = async (): Promise<number> => (await context.facts()).logPosition

  const catchUp = async (): Promise<void> => {
    position ??= await headOf()
    if (!hasBegun) {
      hasBegun = true
      await listener({ events: [], position, generation })
    }
    while (!isOver) {
      // Asked first: whatever the filters let through up to here is in the batch, or comes in a later one.
      const head = await headOf()
      if (head <= position) return
      const events = await context.eventStore.readAll({ afterPosition: position, limit: BATCH, ...filters })
      if (isOver) return
      const last = events.at(-1)?.position ?? 0
      position = events.length === BATCH ? last : Math.max(head, last)
      if (events.length > 0) await listener({ events, position, generation })
    }
  }

  const end = (): void => {
    isOver = true
    stopHearing()
  }

  const follow = async (): Promise<void> => {
    isBusy = true
    try {
      do {
        isStale = false
        await catchUp()
      } while (isStale && !isOver)
    } catch (thrown) {
      if (isOver) return
      end()
      onFailure(thrown)
    } finally {
      isBusy = false
    }
  }

  const stopHearing = context.onCommit(({ tables }) => {
    if (isOver || !tables.has('events')) return
    isStale = true
    if (!isBusy) void follow()
  })
  void follow()
  return end
}
