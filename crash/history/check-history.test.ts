import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkHistory } from './check-history.ts'
import type { Append, Heard, History, Load, Outcome, Problem, Stored } from './history.ts'

const stored = (id: string, seq: number, position: number, aggregateId = 'a:1'): Stored => ({
  id,
  aggregateId,
  content: `of ${id}`,
  seq,
  position
})

type Given = Partial<Omit<Append, 'kind' | 'events'>> & {
  ids: readonly string[]
  expectedSeq?: number
  aggregateId?: string
}
const append = ({ ids, expectedSeq, aggregateId = 'a:1', ...rest }: Given): Append => ({
  kind: 'append',
  client: 'c',
  index: 0,
  life: 'first',
  invokedAt: 0,
  outcome: { kind: 'unknown' },
  events: ids.map((id) => ({
    id,
    aggregateId,
    content: `of ${id}`,
    ...(expectedSeq === undefined ? {} : { expectedSeq })
  })),
  ...rest
})
const answered = (at: number, ...answer: Stored[]): Outcome<readonly Stored[]> => ({
  kind: 'answered',
  at,
  answer
})
const conflict = (at: number, actualSeq?: number): Outcome<readonly Stored[]> => ({
  kind: 'refused',
  at,
  failure: { code: 'CONFLICT', ...(actualSeq === undefined ? {} : { actualSeq }) }
})
const load = (invokedAt: number, at: number, ...answer: Stored[]): Load => ({
  kind: 'load',
  client: 'reader',
  index: 0,
  invokedAt,
  aggregateId: 'a:1',
  outcome: answered(at, ...answer)
})
const heard = (events: readonly Stored[], isComplete = true, afterPosition = 0): Heard => ({
  subscriber: 's',
  afterPosition,
  events,
  isComplete
})

const kinds = (history: Partial<History>): Problem['kind'][] => [
  ...new Set(checkHistory({ appends: [], loads: [], heard: [], log: [], ...history }).map(({ kind }) => kind))
]

const [one, two, three] = [stored('e1', 1, 1), stored('e2', 2, 2), stored('e3', 3, 3)]
const good: History = {
  appends: [
    append({ ids: ['e1'], index: 0, invokedAt: 0, outcome: answered(1, one) }),
    append({ ids: ['e2', 'e3'], index: 1, invokedAt: 2, outcome: answered(3, two, three) })
  ],
  loads: [load(4, 5, one, two, three)],
  heard: [heard([one, two, three])],
  log: [one, two, three]
}

describe('a history that is in order', () => {
  test('has no problem', () => {
    expect(checkHistory(good)).toEqual([])
  })

  test('may have calls whose answers were lost, whole in the log or absent from it', () => {
    const appends = [
      append({ ids: ['e1'] }),
      append({ ids: ['e2', 'e3'], index: 1 }),
      append({ ids: ['e4'], index: 2 })
    ]
    expect(kinds({ appends, log: good.log })).toEqual([])
  })

  test('may have one id appended twice and answered alike', () => {
    const again = append({ ids: ['e1'], client: 'd', invokedAt: 5, outcome: answered(6, one) })
    expect(kinds({ ...good, appends: [...good.appends, again] })).toEqual([])
  })

  test('may have an earlier call missing whose worker died, and a later one of the next life', () => {
    const appends = [append({ ids: ['lost'], index: 0 }), append({ ids: ['e1'], index: 1, life: 'second' })]
    expect(kinds({ appends, log: [one] })).toEqual([])
  })

  test('may have a conflict with what was under way', () => {
    const appends = [
      append({ ids: ['e1'], invokedAt: 0, outcome: answered(4, one) }),
      append({ ids: ['x'], client: 'd', expectedSeq: 0, invokedAt: 1, outcome: conflict(3, 1) })
    ]
    expect(kinds({ appends, log: [one] })).toEqual([])
  })

  test('may have a listener that was not waited for', () => {
    expect(kinds({ ...good, heard: [heard([one], false), heard([two, three], true, 1)] })).toEqual([])
  })
})

describe('a history that is not in order is found out', () => {
  test('an acknowledged event that is not there', () => {
    expect(kinds({ ...good, loads: [], heard: [], log: [one] })).toContain('lost')
  })

  test('an event that is there twice', () => {
    expect(
      kinds({ appends: good.appends, log: [one, two, three, { ...one, seq: 4, position: 4 }] })
    ).toContain('doubled')
  })

  test('an event that is there with another content, at another seq, or at another position', () => {
    const [only] = good.appends
    const appends = only === undefined ? [] : [only]
    expect(kinds({ appends, log: [{ ...one, content: 'other' }] })).toEqual(['altered'])
    expect(kinds({ appends, log: [{ ...one, seq: 2 }] })).toEqual(['altered', 'gap'])
    expect(kinds({ appends, log: [{ ...one, position: 9 }] })).toEqual(['altered'])
  })

  test('fewer answers than events', () => {
    const appends = [append({ ids: ['e1', 'e2'], outcome: answered(1, one) })]
    expect(kinds({ appends, log: [one, two] })).toEqual(['altered'])
  })

  test('half of a batch that nobody answered', () => {
    expect(kinds({ appends: [append({ ids: ['e1', 'e2'] })], log: [one] })).toEqual(['half'])
  })

  test('an event that nobody appended', () => {
    expect(kinds({ log: [one] })).toEqual(['foreign'])
  })

  test('an event that was refused and is there', () => {
    const appends = [
      append({ ids: ['e1'], outcome: { kind: 'refused', at: 1, failure: { code: 'INVALID_INPUT' } } })
    ]
    expect(kinds({ appends, log: [one] })).toEqual(['refused-but-stored'])
  })

  test('an event that stands before one that had been acknowledged when it was asked for', () => {
    const [first, second] = [stored('late', 1, 1), stored('early', 2, 2)]
    const appends = [
      append({ ids: ['early'], client: 'c', invokedAt: 0, outcome: answered(1, second) }),
      append({ ids: ['late'], client: 'd', invokedAt: 2, outcome: answered(3, first) })
    ]
    expect(kinds({ appends, log: [first, second] })).toEqual(['reordered'])
  })

  test('two calls of a client, neither waited for, in another order', () => {
    const appends = [append({ ids: ['e2'], index: 0 }), append({ ids: ['e1'], index: 1 })]
    expect(kinds({ appends, log: [one, two] })).toEqual(['reordered'])
  })

  test('a batch in another order', () => {
    expect(kinds({ appends: [append({ ids: ['e2', 'e1'] })], log: [one, two] })).toEqual(['reordered'])
  })

  test('a call that is missing where its client’s next one is there', () => {
    const appends = [append({ ids: ['lost'], index: 0 }), append({ ids: ['e1'], index: 1 })]
    expect(kinds({ appends, log: [one] })).toEqual(['skipped'])
  })

  test('a gap in a stream', () => {
    expect(kinds({ appends: [append({ ids: ['e1'] })], log: [{ ...one, seq: 2 }] })).toEqual(['gap'])
  })

  test('positions that do not grow', () => {
    const appends = [append({ ids: ['e1'], client: 'c' }), append({ ids: ['e2'], client: 'd' })]
    expect(kinds({ appends, log: [one, { ...two, position: 1 }] })).toEqual(['reordered'])
  })

  test('an event at another seq than it expected: two writers both won', () => {
    const appends = [
      append({ ids: ['e1'], client: 'c', expectedSeq: 0, outcome: answered(1, one) }),
      append({ ids: ['e2'], client: 'd', expectedSeq: 0, outcome: answered(1, two) })
    ]
    expect(kinds({ appends, log: [one, two] })).toEqual(['expected-seq'])
  })

  test('a conflict that was none, or that names a seq which the stream never had', () => {
    const refused = (actualSeq?: number, expectedSeq = 1) => [
      append({ ids: ['e1'], invokedAt: 0, outcome: answered(1, one) }),
      append({ ids: ['x'], client: 'd', expectedSeq, invokedAt: 2, outcome: conflict(3, actualSeq) })
    ]
    expect(kinds({ appends: refused(), log: [one] })).toEqual(['unjustified-conflict'])
    expect(kinds({ appends: refused(7, 0), log: [one] })).toEqual(['unjustified-conflict'])
    expect(kinds({ appends: refused(1, 0), log: [one] })).toEqual([])
  })

  test('a load of what is not there at the end, and one that misses what was acknowledged', () => {
    const appends = [append({ ids: ['e1'], outcome: answered(1, one) })]
    expect(kinds({ appends, log: [one], loads: [load(2, 3, one, two)] })).toEqual(['phantom-read'])
    expect(kinds({ appends, log: [one], loads: [load(2, 3)] })).toEqual(['stale-read'])
    expect(kinds({ appends, log: [one], loads: [load(0, 3)] })).toEqual([])
  })

  test('a subscription with a gap, a double, another order, or too early an end', () => {
    for (const events of [
      [one, three],
      [one, one, two, three],
      [two, one, three],
      [one, two]
    ]) {
      expect(kinds({ ...good, heard: [heard(events)] })).toEqual(['subscription'])
    }
  })
})

/** A log as it comes about when clients append in turn, every call answered. */
const histories = fc
  .array(
    fc.record({
      client: fc.constantFrom('c', 'd'),
      stream: fc.constantFrom('a:1', 'a:2'),
      size: fc.integer({ min: 1, max: 3 })
    }),
    {
      minLength: 2,
      maxLength: 15
    }
  )
  .map((calls): History => {
    const log: Stored[] = []
    const appends = calls.map(({ client, stream, size }, call) => {
      const head = log.filter(({ aggregateId }) => aggregateId === stream).length
      const events = Array.from({ length: size }, (_, at) =>
        stored(`e${call}-${at}`, head + at + 1, log.length + at + 1, stream)
      )
      log.push(...events)
      return append({
        ids: events.map(({ id }) => id),
        aggregateId: stream,
        client,
        index: call,
        invokedAt: call * 2,
        outcome: answered(call * 2 + 1, ...events)
      })
    })
    return { appends, loads: [], heard: [heard(log)], log }
  })

test('any history of calls one after the other is in order, and none with an event less, more or moved', () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, pick) => {
      expect(checkHistory(history)).toEqual([])
      const at = pick % history.log.length
      const other = (at + 1) % history.log.length
      const swapped = history.log.with(at, history.log[other] ?? one).with(other, history.log[at] ?? one)
      for (const log of [
        history.log.toSpliced(at, 1),
        history.log.toSpliced(at, 0, history.log[at] ?? one),
        swapped
      ]) {
        expect(checkHistory({ ...history, log })).not.toEqual([])
      }
    })
  )
})
