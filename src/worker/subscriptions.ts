import type { DbContext } from '../db/ports.ts'
import type { LogBatch } from './api.ts'

/** How many events are read, and handed on, at a time. */
const BATCH = 500

export type SubscriptionArgs = {
  /** The events after this position; where none is given, those that come from now on. */
  readonly afterPosition?: number | undefined
  readonly aggregateType?: string | undefined
  readonly eventType?: string | undefined
}

/**
 * Hands on what the log holds after a position and then what comes, in order, each event once. The next batch is read
 * when the listener's answer to the last one has settled, so a slow listener holds nothing but itself. A listener that
 * throws ends its subscription and `onFailure` hears why, as it does of a log that cannot be read. The first batch of a
 * subscription without a position may hold no event: it says where the subscription begins.
 */
export const followEvents = (
  context: DbContext,
  args: SubscriptionArgs,
  listener: (batch: LogBatch) => unknown,
  onFailure: (thrown: unknown) => void
): (() => void) => {
  const { afterPosition, ...filters } = args
  let position = afterPosition ?? null
  let isBusy = false
  let isStale = false
  let isOver = false

  const headOf = async (): Promise<number> => (await context.facts()).logPosition

  const catchUp = async (): Promise<void> => {
    if (position === null) {
      position = await headOf()
      await listener({ events: [], position })
    }
    while (!isOver) {
      // Asked first: whatever the filters let through up to here is in the batch, or comes in a later one.
      const head = await headOf()
      if (head <= position) return
      const events = await context.eventStore.readAll({ afterPosition: position, limit: BATCH, ...filters })
      if (isOver) return
      const last = events.at(-1)?.position ?? 0
      position = events.length === BATCH ? last : Math.max(head, last)
      if (events.length > 0) await listener({ events, position })
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
