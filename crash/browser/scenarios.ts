import type { Random } from '../random.ts'
import type { Order, OrderedEvent } from './orders.ts'

/** What goes on when the kill comes. */
export const SCENARIOS = [
  'append',
  'projection',
  'rebuild',
  'migration',
  'blob',
  'hand-over',
  'backup',
  'restore',
  'archive'
] as const
export type Scenario = (typeof SCENARIOS)[number]

/** An order without its number and its client's patience. */
type Draft = Order extends infer Each ? (Each extends Order ? Omit<Each, 'index' | 'waits'> : never) : never

type Given = {
  readonly random: Random
  readonly client: string
  /** A number that nothing else has. */
  readonly next: () => number
}

const SHARED = ['shared:1', 'shared:2', 'plain'] as const
const QUEUED = {
  workflowId: 'workflow:w',
  workflowVersionId: 'workflow:w@1',
  version: 1,
  workflowName: 'W',
  trigger: 'manual',
  parameters: {}
}

const plain = ({ random, client, next }: Given): OrderedEvent => ({
  id: `${client}-e${next()}`,
  aggregateId: random.chance(0.6) ? random.pick(SHARED) : `own:${client}`,
  eventType: random.pick(['Noted', 'Counted']),
  payload: { text: 'x'.repeat(random.chance(0.05) ? random.between(8_000, 60_000) : random.between(0, 200)) }
})

/** The events of a run, from its beginning to its end: what is projected at once, and what follows the log. */
export const runEvents = ({ client, next }: Pick<Given, 'client' | 'next'>): OrderedEvent[] => {
  const run = `${client}-r${next()}`
  return (
    [
      ['RunQueued', QUEUED],
      ['RunStarted', { manifest: {} }],
      ['RunSucceeded', {}]
    ] as const
  ).map(([eventType, payload], at) => ({ id: `${run}/${at}`, aggregateId: `run:${run}`, eventType, payload }))
}

const workflow = ({ client, next }: Given): OrderedEvent => {
  const name = `${client}-w${next()}`
  const payload = { name, description: '', graph: { parameters: {}, nodes: [], edges: [] } }
  return { id: name, aggregateId: `workflow:${name}`, eventType: 'WorkflowCreated', payload }
}

const append = (events: readonly OrderedEvent[]): Draft => ({ kind: 'append', events })

/** Two that expect the same end of a stream: one of them wins, whoever that is. */
const rivals = ({ client, next }: Given): Draft[] => {
  const aggregateId = `rival:${next()}`
  return [1, 2].map(() =>
    append([{ id: `${client}-e${next()}`, aggregateId, eventType: 'Noted', payload: {}, expectedSeq: 0 }])
  )
}

const common = (given: Given): Draft[] => {
  const { random, client, next } = given
  switch (random.between(0, 7)) {
    case 0:
      return [append(Array.from({ length: random.between(2, 6) }, () => plain(given)))]
    case 1:
      return rivals(given)
    case 2: {
      // The same id twice: both are answered with the one event.
      const event = plain(given)
      return [append([event]), append([event])]
    }
    case 3:
      return [{ kind: 'load', aggregateId: random.pick(SHARED) }]
    case 4:
      return [{ kind: 'row', key: `${client}-row${random.between(1, 2)}`, name: `${next()}` }]
    case 5:
      return [{ kind: 'snapshot', aggregateId: `own:${client}`, lastSeq: next() }]
    default:
      return [append([plain(given)]), append([plain(given)])]
  }
}

const blob = ({ random, client }: Given): Draft => ({
  kind: 'blob',
  key: `${client}-blob${random.between(1, 3)}`,
  size: random.pick([
    random.between(0, 3_000),
    random.between(530_000, 900_000),
    random.between(1_100_000, 3_000_000)
  ]),
  fill: random.between(0, 255)
})

const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

/** What one client does in a scenario; the first of it is what the kill is meant to come into. */
const drafts = (scenario: Scenario, given: Given): Draft[] => {
  const { random } = given
  switch (scenario) {
    case 'append':
    case 'hand-over':
    case 'migration':
      return many(random.between(8, 20), () => common(given)).flat()
    case 'projection':
      return many(random.between(10, 25), () =>
        append(random.chance(0.5) ? runEvents(given) : [workflow(given)])
      )
    case 'rebuild':
      return [
        { kind: 'rebuild', projection: random.pick(['workflow-activity', 'runs', null]) },
        ...many(random.between(3, 8), () => append(runEvents(given))),
        ...many(random.between(1, 5), () => common(given)).flat()
      ]
    case 'blob':
      return [...many(random.between(3, 8), () => blob(given)), ...common(given)]
    case 'backup':
      return [{ kind: 'backup' }, ...many(random.between(3, 10), () => common(given)).flat()]
    case 'archive':
      return [
        append(many(random.between(2, 12), () => runEvents(given)).flat()),
        append([plain(given)]),
        { kind: 'archive', isIntoFolder: random.chance(0.4), bringsBack: random.chance(0.4) },
        ...many(random.between(2, 6), () => common(given)).flat()
      ]
    case 'restore':
      return [
        {
          kind: 'restore',
          marker: { kind: 'append', index: given.next(), waits: true, events: [plain(given)] }
        }
      ]
  }
}

export const ordersOf = (scenario: Scenario, given: Given): Order[] =>
  drafts(scenario, given).map((draft, at) => ({
    ...draft,
    index: given.next(),
    // What takes long goes on while the rest is done; blobs that nobody waits for may land in any order.
    waits:
      draft.kind === 'blob' ||
      (scenario === 'archive' && at < 2) ||
      (!(at === 0 && draft.kind !== 'append') && given.random.chance(0.4))
  }))

/** The kinds of orders that a scenario is about: the kill has come into it where one of them is unanswered. */
export const isMeant = (scenario: Scenario, kind: Order['kind']): boolean =>
  scenario === 'append' || scenario === 'projection' || scenario === 'hand-over' || scenario === 'migration'
    ? kind === 'append'
    : kind === scenario
