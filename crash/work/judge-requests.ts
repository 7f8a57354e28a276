/** One request in the service's own log. */
export type LoggedRequest = {
  readonly person: number
  /** The status that was written to a caller who was still there; null for none. */
  readonly status: number | null
}

/** What was known at the first start after a kill, before the run went on. */
export type AfterKill = {
  /** How many requests the service's log had. */
  readonly logged: number
  /** Whose answer the program's ledger called confirmed. */
  readonly confirmed: ReadonlySet<number>
}

/** The program's own record at the end. */
export type RequestRecord = {
  readonly confirmed: ReadonlyMap<number, number>
  /** Attempts of a person, and how many of them are on record as answered with 200. */
  readonly attempts: ReadonlyMap<number, { readonly sent: number; readonly answered: number }>
}

export type RequestFacts = {
  readonly people: ReadonlySet<number>
  readonly log: readonly LoggedRequest[]
  readonly kills: readonly AfterKill[]
  readonly record: RequestRecord
  /** How many requests the program may have under way at a time. */
  readonly concurrency: number
}

export type RequestVerdict = {
  /** Every word that was not kept. */
  readonly problems: readonly string[]
  readonly requests: number
  /** Answers of 200 that the service wrote; those beyond one a person; and requests by the status they ended with. */
  readonly answers: number
  readonly answeredAgain: number
  readonly statuses: ReadonlyMap<number | null, number>
}

const isAnswer = ({ status }: LoggedRequest): boolean => status === 200

const groupBy = <T, K>(list: readonly T[], keyOf: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>()
  for (const item of list) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

const few = (people: readonly number[]): string =>
  `${people.slice(0, 5).join(', ')}${people.length > 5 ? ` and ${people.length - 5} more` : ''}`

/**
 * Judges "every person is fetched exactly once" by two records that know nothing of each other.
 *
 * A kill between the service's answer and the ledger's commit takes the answer along: no program can tell it from one that
 * never came, and a GET is sent again. So a second answer is allowed for a person whose first one was under way at a kill,
 * which are at most as many a kill as may be under way at a time; and for nobody else, ever.
 */
export const judgeRequests = ({ people, log, kills, record, concurrency }: RequestFacts): RequestVerdict => {
  const problems: string[] = []
  const check = (wrong: readonly number[], words: string): void => {
    if (wrong.length > 0) problems.push(`${words}: ${few(wrong)}`)
  }
  const answersOf = groupBy(
    log.flatMap((each, at) => (isAnswer(each) ? [{ person: each.person, at }] : [])),
    ({ person }) => person
  )
  const answers = [...answersOf.values()].reduce((sum, { length }) => sum + length, 0)
  const answeredAgain = answers - answersOf.size

  check(
    [...people].filter((person) => !answersOf.has(person)),
    'the service never answered for'
  )
  check(
    log.flatMap(({ person }) => (people.has(person) ? [] : [person])),
    'the service was asked for nobody of the orders'
  )
  kills.forEach(({ logged, confirmed }, at) => {
    check(
      log.slice(logged).flatMap(({ person }) => (confirmed.has(person) ? [person] : [])),
      `asked for again although confirmed at kill ${at + 1}`
    )
  })
  const isCutOff = (from: number, to: number): boolean =>
    kills.some(({ logged }) => from < logged && logged <= to)
  check(
    [...answersOf].flatMap(([person, given]) =>
      given.some(({ at }, nth) => nth > 0 && !isCutOff(given[nth - 1]?.at ?? 0, at)) ? [person] : []
    ),
    'answered twice with no kill in between'
  )
  if (answeredAgain > kills.length * concurrency) {
    problems.push(
      `${answeredAgain} answers were given again; ${kills.length} kills explain ${kills.length * concurrency}`
    )
  }
  check(
    [...people].filter((person) => record.confirmed.get(person) !== 1),
    'not confirmed exactly once'
  )
  check(
    [...record.confirmed.keys()].filter((person) => !people.has(person)),
    'confirmed and nobody of the orders'
  )
  check(
    [...people].filter((person) => record.attempts.get(person)?.answered !== 1),
    'not on record as answered exactly once'
  )
  check(
    [...answersOf].flatMap(([person, given]) =>
      given.length > (record.attempts.get(person)?.sent ?? 0) ? [person] : []
    ),
    'answered more often than requests are on record'
  )
  const statuses = new Map([...groupBy(log, ({ status }) => status)].map(([key, of]) => [key, of.length]))
  return { problems, requests: log.length, answers, answeredAgain, statuses }
}
