import { spansOf } from './check-order.ts'
import type { Append, History, Load, Problem, Stored } from './history.ts'

/** The seqs that a stream can have ended at in a span of time: a compare-and-set may have seen any of them. */
const headsOf = (stream: readonly Stored[], spans: ReturnType<typeof spansOf>) => ({
  /** It ended there or later at `at`, for certain. */
  atLeast: (at: number): number =>
    Math.max(0, ...stream.filter(({ id }) => (spans.get(id)?.until ?? Infinity) <= at).map(({ seq }) => seq)),
  /** It cannot have been longer at `at`. */
  atMost: (at: number): number =>
    Math.max(0, ...stream.filter(({ id }) => (spans.get(id)?.from ?? Infinity) < at).map(({ seq }) => seq))
})

/** An event that expected a seq follows just that one, or was stored before the call that repeated it. */
const checkExpectations = (append: Append, logged: ReadonlyMap<string, Stored>): Problem[] =>
  append.events.flatMap((event): Problem[] => {
    const found = logged.get(event.id)
    if (event.expectedSeq === undefined || found === undefined || found.seq === event.expectedSeq + 1)
      return []
    const message = `${event.id} expected ${event.aggregateId} to end at seq ${event.expectedSeq} and stands at seq ${found.seq}`
    return [{ kind: 'expected-seq', message }]
  })

type Heads = (aggregateId: string) => ReturnType<typeof headsOf>

/** A conflict is told only where the stream can have ended elsewhere than expected while the call was under way. */
const checkConflict = ({ client, index, invokedAt, events, outcome }: Append, heads: Heads): Problem[] => {
  if (outcome.kind !== 'refused' || outcome.failure.code !== 'CONFLICT') return []
  const expecting = events.filter(({ expectedSeq }) => expectedSeq !== undefined)
  const justifies = ({ aggregateId, expectedSeq }: (typeof expecting)[number]): boolean => {
    const { atLeast, atMost } = heads(aggregateId)
    const [least, most] = [atLeast(invokedAt), atMost(outcome.at)]
    // A later event of the same batch expects what the earlier ones bring about.
    const earlier = events.filter((event) => event.aggregateId === aggregateId).length - 1
    const { actualSeq } = outcome.failure
    const isSeen = actualSeq === undefined || (actualSeq >= least && actualSeq <= most + earlier)
    return isSeen && (least !== expectedSeq || most !== expectedSeq || earlier > 0)
  }
  if (expecting.length === 0 || expecting.some(justifies)) return []
  const message = `${client}/${index} was refused with CONFLICT, and nothing had changed what it expected`
  return [{ kind: 'unjustified-conflict', message }]
}

/** A load sees the stream's beginning, all of it that was acknowledged before, and nothing that is not there at the end. */
const checkLoad = (
  { client, index, aggregateId, invokedAt, outcome }: Load,
  stream: readonly Stored[],
  heads: Heads
) => {
  if (outcome.kind !== 'answered') return []
  const problems: Problem[] = []
  const seen = outcome.answer
  const phantom = seen.find((event, at) => {
    const there = stream[at]
    return there?.id !== event.id || there.seq !== event.seq || there.content !== event.content
  })
  if (phantom !== undefined) {
    const message = `${client}/${index} loaded ${phantom.id} as seq ${phantom.seq} of ${aggregateId}, which is not so at the end`
    problems.push({ kind: 'phantom-read', message })
  }
  const least = heads(aggregateId).atLeast(invokedAt)
  if (seen.length < least) {
    const message = `${client}/${index} loaded ${seen.length} events of ${aggregateId}, of which ${least} had been acknowledged`
    problems.push({ kind: 'stale-read', message })
  }
  return problems
}

/** Each stream is a register that is compared and set: in the order of its seqs, every answer fits. */
export const checkStreams = ({ appends, loads, log }: History): Problem[] => {
  const logged = new Map(log.map((event) => [event.id, event]))
  const spans = spansOf(appends)
  const streams = new Map<string, Stored[]>()
  for (const event of log) streams.set(event.aggregateId, [...(streams.get(event.aggregateId) ?? []), event])
  const streamOf = (aggregateId: string): readonly Stored[] => streams.get(aggregateId) ?? []
  const heads: Heads = (aggregateId) => headsOf(streamOf(aggregateId), spans)
  return [
    ...appends.flatMap((append) => [...checkExpectations(append, logged), ...checkConflict(append, heads)]),
    ...loads.flatMap((load) => checkLoad(load, streamOf(load.aggregateId), heads))
  ]
}
