import { checkLog } from './check-log.ts'
import { checkOrder } from './check-order.ts'
import { checkStreams } from './check-streams.ts'
import type { Heard, History, Problem, Stored } from './history.ts'

/** A subscription hears the log from where it began: each event once, in order, none left out. */
const checkHeard = (
  { subscriber, afterPosition, events, isComplete }: Heard,
  log: readonly Stored[]
): Problem[] => {
  const expected = log.filter(({ position }) => position > afterPosition)
  const wrong = events.findIndex(({ id }, at) => expected[at]?.id !== id)
  if (wrong !== -1) {
    const message = `${subscriber} heard ${events[wrong]?.id} as number ${wrong + 1}, where the log has ${expected[wrong]?.id ?? 'nothing'}`
    return [{ kind: 'subscription', message }]
  }
  if (!isComplete || events.length === expected.length) return []
  const message = `${subscriber} heard ${events.length} of ${expected.length} events, though it was waited for`
  return [{ kind: 'subscription', message }]
}

/**
 * Compares what clients were told with the log as it is at the end: no acknowledged event is lost, doubled, altered or
 * out of order; batches are whole; every expected seq held when its event was appended, and every conflict was one;
 * what was loaded and heard is what is there. Answers with every word that was not kept.
 */
export const checkHistory = (history: History): Problem[] => [
  ...checkLog(history),
  ...checkOrder(history),
  ...checkStreams(history),
  ...history.heard.flatMap((heard) => checkHeard(heard, history.log))
]
