import writeExcelFile from 'write-excel-file/node'
import { createRandom } from '../random.ts'

/** How large the work is, and the chance that decides its content. */
export type WorkSize = { readonly seed: number; readonly orders: number; readonly people: number }

export type Person = { readonly id: number; readonly name: string; readonly city: string }
export type Order = { readonly order_id: number; readonly person: number; readonly cents: number }

/** Orders that name people, the people whom a service knows, and what must come of both. */
export type PeopleWork = {
  readonly size: WorkSize
  readonly orders: readonly Order[]
  readonly people: ReadonlyMap<number, Person>
  /** What each sink must write, to the byte, by its file's name. */
  readonly expected: Readonly<Record<string, string>>
}

export const ORDERS_FILE = 'orders.xlsx'
const FIRST_PERSON = 1_000
const CITIES = ['Aachen', 'Bergen', 'Cádiz', 'Đà Nẵng', 'Évora', 'Fukuoka', 'Gdańsk'] as const

const toCsv = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [columns, ...rows].map((row) => `${row.join(',')}\n`).join('')

/** Each person is named at least once, in an order that has nothing to do with theirs. */
const drawOrders = ({ seed, orders, people }: WorkSize): Order[] => {
  const random = createRandom(seed)
  const named = Array.from({ length: orders }, (_, at) =>
    at < people ? FIRST_PERSON + at : FIRST_PERSON + random.between(0, people - 1)
  )
  for (let at = orders - 1; at > 0; at -= 1) {
    const other = random.between(0, at)
    const here = named[at] ?? FIRST_PERSON
    named[at] = named[other] ?? FIRST_PERSON
    named[other] = here
  }
  return named.map((person, at) => ({ order_id: at + 1, person, cents: random.between(1, 100_000) }))
}

const knownPeople = ({ seed, people }: WorkSize): ReadonlyMap<number, Person> => {
  const random = createRandom(seed + 1)
  return new Map(
    Array.from({ length: people }, (_, at) => {
      const id = FIRST_PERSON + at
      return [id, { id, name: `Person ${id} “${random.between(1, 9_999)}”`, city: random.pick(CITIES) }]
    })
  )
}

/** The oracle: the two results by hand, from the same orders and people. */
const expectedOf = (orders: readonly Order[], people: ReadonlyMap<number, Person>) => {
  const sums = new Map<string, { orders: number; cents: number }>()
  const rows = orders.map(({ order_id, person, cents }) => {
    const { name = '', city = '' } = people.get(person) ?? {}
    const sum = sums.get(city) ?? { orders: 0, cents: 0 }
    sums.set(city, { orders: sum.orders + 1, cents: sum.cents + cents })
    return [order_id, person, cents, name, city]
  })
  const cities = [...sums]
    .toSorted(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .map(([city, sum]) => [city, sum.orders, sum.cents])
  return {
    'orders.csv': toCsv(['order_id', 'person', 'cents', 'name', 'city'], rows),
    'cities.csv': toCsv(['city', 'orders', 'cents'], cities)
  }
}

export const createPeopleWork = (size: WorkSize): PeopleWork => {
  const orders = drawOrders(size)
  const people = knownPeople(size)
  return { size, orders, people, expected: expectedOf(orders, people) }
}

/** The orders as a workbook with one sheet. */
export const toWorkbook = async ({ orders }: PeopleWork): Promise<Buffer> => {
  const head = ['order_id', 'person', 'cents'].map((value) => ({ value, type: String }))
  const rows = orders.map(({ order_id, person, cents }) =>
    [order_id, person, cents].map((value) => ({ value, type: Number }))
  )
  return writeExcelFile([head, ...rows]).toBuffer()
}

/** How many requests may be under way at a time. */
export const CONCURRENCY = 6

/** Orders with the person's name and city beside each, and sums by city. */
export const documentFor = (service: string) => ({
  format: 'flowforge.workflow/1',
  name: 'Orders with people',
  nodes: [
    { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: ORDERS_FILE } },
    {
      id: 'ask',
      kind: 'http',
      name: 'Ask people',
      spec: {
        request: { endpoint: service, method: 'GET', path: '/people/{{person}}' },
        per: 'distinct',
        key: ['person'],
        response: { columns: { name: '/name', city: '/address/city' } },
        concurrency: CONCURRENCY,
        retry: { times: 8, backoffMs: 10 }
      }
    },
    { id: 'all', kind: 'sink', name: 'All orders', spec: { format: 'csv', fileName: 'orders.csv' } },
    {
      id: 'sum',
      kind: 'transform',
      name: 'Sums',
      spec: {
        steps: [
          {
            op: 'sql',
            query:
              'SELECT city, count(*) AS orders, sum(cents)::BIGINT AS cents FROM input GROUP BY city ORDER BY city'
          }
        ]
      }
    },
    { id: 'cities', kind: 'sink', name: 'Cities', spec: { format: 'csv', fileName: 'cities.csv' } }
  ],
  edges: [
    { from: 'orders', to: 'ask' },
    { from: 'ask', to: 'all' },
    { from: 'ask', to: 'sum' },
    { from: 'sum', to: 'cities' }
  ]
})
