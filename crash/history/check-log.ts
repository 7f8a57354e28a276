import type { Append, History, Intended, Problem, Stored } from './history.ts'

const groupBy = <T>(list: readonly T[], keyOf: (each: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const each of list) {
    const key = keyOf(each)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [each])
    else group.push(each)
  }
  return groups
}

const isSame = (left: Stored, right: Stored): boolean =>
  left.id === right.id &&
  left.aggregateId === right.aggregateId &&
  left.content === right.content &&
  left.seq === right.seq &&
  left.position === right.position

/** What was answered is there once, as it was answered. */
const checkAnswers = (append: Append, logged: ReadonlyMap<string, readonly Stored[]>): Problem[] => {
  if (append.outcome.kind !== 'answered') return []
  const { answer } = append.outcome
  if (answer.length !== append.events.length) {
    const message = `${append.client}/${append.index} appended ${append.events.length} events and was answered ${answer.length}`
    return [{ kind: 'altered', message }]
  }
  return answer.flatMap((event): Problem[] => {
    const found = logged.get(event.id) ?? []
    if (found.length === 0) {
      const message = `${event.id} of ${event.aggregateId} was acknowledged to ${append.client}/${append.index} and is not in the log`
      return [{ kind: 'lost', message }]
    }
    if (found.some((each) => isSame(each, event))) return []
    const message = `${event.id} was acknowledged as ${JSON.stringify(event)} and stands as ${JSON.stringify(found[0])}`
    return [{ kind: 'altered', message }]
  })
}

/** A batch is there whole or not at all; what was refused is not there, unless another call appended it. */
const checkWhole = (
  append: Append,
  logged: ReadonlyMap<string, readonly Stored[]>,
  others: ReadonlyMap<string, readonly Append[]>
): Problem[] => {
  const isOwn = ({ id }: Intended): boolean => others.get(id)?.length === 1
  const own = append.events.filter(isOwn)
  const there = own.filter(({ id }) => logged.has(id))
  if (append.outcome.kind === 'refused' && there.length > 0) {
    const message = `${there[0]?.id} was refused to ${append.client}/${append.index} with ${append.outcome.failure.code} and is in the log`
    return [{ kind: 'refused-but-stored', message }]
  }
  if (there.length === 0 || there.length === own.length) return []
  const message = `${append.client}/${append.index} appended ${own.length} events at once, of which ${there.length} are in the log`
  return [{ kind: 'half', message }]
}

/** Whatever is in the log, somebody appended it, and so. */
const checkIntended = (event: Stored, intended: ReadonlyMap<string, readonly Intended[]>): Problem[] => {
  const meant = intended.get(event.id) ?? []
  if (meant.length === 0) {
    return [
      {
        kind: 'foreign',
        message: `${event.id} of ${event.aggregateId} is in the log, and nobody appended it`
      }
    ]
  }
  if (
    meant.some(({ aggregateId, content }) => aggregateId === event.aggregateId && content === event.content)
  )
    return []
  return [
    { kind: 'altered', message: `${event.id} stands in the log with what nobody appended under that id` }
  ]
}

/** Positions grow as the log is read, and each stream counts from 1 without a gap. */
const checkNumbers = (log: readonly Stored[]): Problem[] => {
  const problems: Problem[] = []
  const heads = new Map<string, number>()
  let position = 0
  for (const event of log) {
    const expected = (heads.get(event.aggregateId) ?? 0) + 1
    if (event.position <= position) {
      problems.push({
        kind: 'reordered',
        message: `position ${event.position} comes after ${position} in the log`
      })
    }
    if (event.seq !== expected) {
      const message = `${event.aggregateId} has seq ${event.seq} where ${expected} should be (${event.id})`
      problems.push({ kind: 'gap', message })
    }
    position = event.position
    heads.set(event.aggregateId, event.seq)
  }
  return problems
}

/** No acknowledged event is lost, doubled or altered; nothing unacknowledged is half there; nobody else's is there. */
export const checkLog = ({ appends, log }: History): Problem[] => {
  const logged = groupBy(log, ({ id }) => id)
  const byId = new Map<string, Append[]>()
  for (const append of appends) {
    for (const { id } of append.events) byId.set(id, [...(byId.get(id) ?? []), append])
  }
  const intended = groupBy(
    appends.flatMap(({ events }) => events),
    ({ id }) => id
  )
  const doubled = [...logged].flatMap(([id, found]): Problem[] =>
    found.length === 1 ? [] : [{ kind: 'doubled', message: `${id} is in the log ${found.length} times` }]
  )
  return [
    ...doubled,
    ...appends.flatMap((append) => [...checkAnswers(append, logged), ...checkWhole(append, logged, byId)]),
    ...log.flatMap((event) => checkIntended(event, intended)),
    ...checkNumbers(log)
  ]
}
