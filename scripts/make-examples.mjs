/**
 * Writes `public/examples/`: made-up data, the same at every run (a seeded generator), so that it is ours to give away.
 * Airport codes, names and states are facts; every flight, person, order and sale is invented.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import writeXlsxFile from 'write-excel-file/node'

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'public/examples')
mkdirSync(folder, { recursive: true })

/** Mulberry32: 32 bits of state, the same numbers everywhere. */
const randomFrom = (seed) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
const random = randomFrom(20_01)
const pick = (list) => list[Math.floor(random() * list.length)]
const between = (low, high) => low + Math.floor(random() * (high - low + 1))
const write = (name, content) => writeFileSync(join(folder, name), content)
const writeJson = (name, value) => write(name, `${JSON.stringify(value, null, 2)}\n`)
const cell = (value) =>
  /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value)
const csv = (rows) =>
  [Object.keys(rows[0]), ...rows.map((row) => Object.values(row))]
    .map((line) => line.map(cell).join(','))
    .join('\n') + '\n'
const isoDate = (day) => new Date(Date.UTC(2026, 0, 1) + day * 86_400_000).toISOString().slice(0, 10)

// ── Delays by state ──────────────────────────────────────────────────────────────────────────────────────────────────

const AIRPORTS = [
  ['ATL', 'Hartsfield-Jackson', 'Atlanta', 'GA'],
  ['BNA', 'Nashville International', 'Nashville', 'TN'],
  ['BOS', 'Logan International', 'Boston', 'MA'],
  ['BWI', 'Baltimore/Washington', 'Baltimore', 'MD'],
  ['CLE', 'Hopkins International', 'Cleveland', 'OH'],
  ['CLT', 'Charlotte Douglas', 'Charlotte', 'NC'],
  ['DEN', 'Denver International', 'Denver', 'CO'],
  ['DFW', 'Dallas-Fort Worth', 'Dallas', 'TX'],
  ['DTW', 'Detroit Metropolitan', 'Detroit', 'MI'],
  ['EWR', 'Newark Liberty', 'Newark', 'NJ'],
  ['HNL', 'Daniel K. Inouye', 'Honolulu', 'HI'],
  ['IAH', 'George Bush', 'Houston', 'TX'],
  ['JFK', 'John F. Kennedy', 'New York', 'NY'],
  ['LAS', 'Harry Reid', 'Las Vegas', 'NV'],
  ['LAX', 'Los Angeles International', 'Los Angeles', 'CA'],
  ['LGA', 'LaGuardia', 'New York', 'NY'],
  ['MCI', 'Kansas City International', 'Kansas City', 'MO'],
  ['MCO', 'Orlando International', 'Orlando', 'FL'],
  ['MDW', 'Midway', 'Chicago', 'IL'],
  ['MIA', 'Miami International', 'Miami', 'FL'],
  ['MSP', 'Minneapolis-St Paul', 'Minneapolis', 'MN'],
  ['MSY', 'Louis Armstrong', 'New Orleans', 'LA'],
  ['OAK', 'Oakland', 'Oakland', 'CA'],
  ['ORD', "O'Hare International", 'Chicago', 'IL'],
  ['PDX', 'Portland International', 'Portland', 'OR'],
  ['PHL', 'Philadelphia International', 'Philadelphia', 'PA'],
  ['PHX', 'Sky Harbor', 'Phoenix', 'AZ'],
  ['PIT', 'Pittsburgh International', 'Pittsburgh', 'PA'],
  ['SAN', 'San Diego International', 'San Diego', 'CA'],
  ['SEA', 'Seattle-Tacoma', 'Seattle', 'WA'],
  ['SFO', 'San Francisco International', 'San Francisco', 'CA'],
  ['SJC', 'San José Mineta', 'San José', 'CA'],
  ['SLC', 'Salt Lake City International', 'Salt Lake City', 'UT'],
  ['STL', 'Lambert', 'St. Louis', 'MO'],
  ['TPA', 'Tampa International', 'Tampa', 'FL']
].map(([iata, name, city, state]) => ({ iata, name, city, state }))
write('example-airports.csv', csv(AIRPORTS))

const flights = Array.from({ length: 2_000 }, () => {
  const origin = pick(AIRPORTS).iata
  // XNA is not in the directory: the join shows what a missing partner does.
  const destination =
    random() < 0.01 ? 'XNA' : pick(AIRPORTS.filter((airport) => airport.iata !== origin)).iata
  return {
    date: isoDate(between(0, 89)),
    origin: random() < 0.02 ? 'XNA' : origin,
    destination,
    delay: Math.round((random() ** 4 * 240 - 12) * (random() < 0.3 ? 1 : 0.4)),
    distance: between(150, 2_700)
  }
})
write('example-flights.json', `[\n${flights.map((flight) => JSON.stringify(flight)).join(',\n')}\n]\n`)
writeJson('delays-by-state.json', {
  sources: ['example-flights.json', 'example-airports.csv'],
  workflow: {
    format: 'flowforge.workflow/1',
    name: 'Delays by state',
    description: 'Which states suffer most from late flights',
    parameters: { minDelay: { type: 'number', default: 15 } },
    nodes: [
      { id: 'flights', kind: 'source', name: 'Flights', spec: { dataSource: 'example-flights.json' } },
      { id: 'airports', kind: 'source', name: 'Airports', spec: { dataSource: 'example-airports.csv' } },
      {
        id: 'late',
        kind: 'transform',
        name: 'Late only',
        spec: { steps: [{ op: 'filter', where: 'delay >= $minDelay' }] }
      },
      {
        id: 'located',
        kind: 'join',
        name: 'With airport',
        spec: { type: 'inner', on: [{ left: 'origin', right: 'iata' }] }
      },
      {
        id: 'by_state',
        kind: 'transform',
        name: 'By state',
        spec: {
          steps: [
            {
              op: 'aggregate',
              groupBy: ['state'],
              columns: { flights: 'count(*)', mean_delay: 'round(avg(delay), 1)' }
            },
            { op: 'sort', by: [{ column: 'flights', descending: true }, { column: 'state' }] }
          ]
        }
      },
      { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'delays-by-state.csv' } }
    ],
    edges: [
      { from: 'flights', to: 'late' },
      { from: 'late', to: 'located', toPort: 'left' },
      { from: 'airports', to: 'located', toPort: 'right' },
      { from: 'located', to: 'by_state' },
      { from: 'by_state', to: 'result' }
    ]
  }
})

// ── Order decisions ──────────────────────────────────────────────────────────────────────────────────────────────────

const FIRST = [
  'Ada',
  'Bruno',
  'Chloé',
  'Deniz',
  'Elif',
  'Femi',
  'Grace',
  'Håkon',
  'Ines',
  'Jun',
  'Katya',
  'Luís',
  'Maya',
  'Noor',
  'Olga',
  'Priya'
]
const LAST = [
  'Abe',
  'Berg',
  'Costa',
  'Dubois',
  'Evans',
  'Fischer',
  'García',
  'Haddad',
  'Ito',
  'Jensen',
  'Kowalska',
  'Lindqvist',
  'Moreau',
  'Novák',
  'Okafor',
  'Петров'
]
const DEPARTMENTS = ['Research', 'Sales', 'Operations', 'Finance', 'Design']
const people = Array.from({ length: 120 }, (_, index) => ({
  id: `P${String(index + 1).padStart(4, '0')}`,
  name: `${pick(FIRST)} ${pick(LAST)}`,
  department: pick(DEPARTMENTS),
  active: random() > 0.08,
  limit: pick([250, 500, 1_000, 2_500])
}))
writeJson('example-people.json', people)

const ITEMS = [
  ['Keyboard', 89.9],
  ['Monitor', 329],
  ['Laptop', 1_449],
  ['Chair', 410.5],
  ['Headset', 129.95],
  ['Licence', 60],
  ['Camera', 799]
]
const orders = Array.from({ length: 600 }, (_, index) => {
  const [item, price] = pick(ITEMS)
  return {
    order: 10_001 + index,
    person: random() < 0.03 ? 'P9999' : pick(people).id,
    item,
    quantity: random() < 0.02 ? 0 : between(1, 4),
    price,
    ordered: isoDate(between(0, 120))
  }
})
const workbook = writeXlsxFile(
  [
    ['Order', 'Person', 'Item', 'Quantity', 'Price', 'Ordered'].map((value) => ({
      value,
      fontWeight: 'bold'
    })),
    ...orders.map((order) => [
      { value: order.order, type: Number },
      { value: order.person, type: String },
      { value: order.item, type: String },
      { value: order.quantity, type: Number },
      { value: order.price, type: Number, format: '#,##0.00' },
      { value: new Date(`${order.ordered}T00:00:00Z`), type: Date, format: 'yyyy-mm-dd' }
    ])
  ],
  { sheet: 'Orders' }
)
await workbook.toFile(join(folder, 'example-orders.xlsx'))
writeJson('order-decisions.json', {
  sources: ['example-orders.xlsx', 'example-people.json'],
  workflow: {
    format: 'flowforge.workflow/1',
    name: 'Order decisions',
    description: 'Each order checked against the directory: a decision and a reason for every row',
    parameters: {},
    nodes: [
      { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: 'example-orders.xlsx' } },
      { id: 'people', kind: 'source', name: 'People', spec: { dataSource: 'example-people.json' } },
      {
        id: 'totals',
        kind: 'transform',
        name: 'Order total',
        spec: { steps: [{ op: 'derive', columns: { total: 'round(Quantity * Price, 2)' } }] }
      },
      {
        id: 'with_person',
        kind: 'join',
        name: 'With person',
        spec: { type: 'left', on: [{ left: 'Person', right: 'id' }] }
      },
      {
        id: 'decide',
        kind: 'rule',
        name: 'Decide',
        spec: {
          mode: 'first',
          rules: [
            {
              name: 'Unknown person',
              when: 'id IS NULL',
              set: { decision: "'reject'", reason: "'Nobody in the directory has the id ' || Person" }
            },
            {
              name: 'Left the company',
              when: 'NOT active',
              set: { decision: "'reject'", reason: "name || ' is no longer active'" }
            },
            {
              name: 'Nothing ordered',
              when: 'Quantity <= 0',
              set: { decision: "'reject'", reason: "'The quantity is ' || Quantity" }
            },
            {
              name: 'Over the limit',
              when: 'total > "limit"',
              set: {
                decision: "'review'",
                reason: "'Total ' || total || ' is over the limit of ' || \"limit\""
              }
            }
          ],
          otherwise: { decision: "'approve'", reason: "'Within the limit'" }
        }
      },
      {
        id: 'tidy',
        kind: 'transform',
        name: 'Columns to hand back',
        spec: {
          steps: [
            {
              op: 'select',
              columns: [
                'Order',
                'Ordered',
                'Person',
                'name',
                'department',
                'Item',
                'total',
                'decision',
                'reason'
              ]
            },
            { op: 'sort', by: [{ column: 'Order' }] }
          ]
        }
      },
      {
        id: 'result',
        kind: 'sink',
        name: 'Decisions',
        spec: { format: 'xlsx', fileName: 'order-decisions.xlsx' }
      }
    ],
    edges: [
      { from: 'orders', to: 'totals' },
      { from: 'totals', to: 'with_person', toPort: 'left' },
      { from: 'people', to: 'with_person', toPort: 'right' },
      { from: 'with_person', to: 'decide' },
      { from: 'decide', to: 'tidy' },
      { from: 'tidy', to: 'result' }
    ]
  }
})

// ── Sales by channel ─────────────────────────────────────────────────────────────────────────────────────────────────

const sales = Array.from({ length: 1_500 }, (_, index) => ({
  id: index + 1,
  sold_at: `${isoDate(between(0, 179))}T${String(between(7, 21)).padStart(2, '0')}:${String(between(0, 59)).padStart(2, '0')}:00`,
  channel: pick(['web', 'web', 'store', 'phone']),
  product: pick(['Atlas', 'Birch', 'Cedar', 'Delta']),
  units: between(1, 12),
  amount: Number((random() * 480 + 15).toFixed(2)),
  note: random() < 0.1 ? pick(['gift, wrapped', 'asked for "express"', 'returned once']) : ''
}))
write('example-sales.csv', csv(sales))
writeJson('sales-by-channel.json', {
  sources: ['example-sales.csv'],
  workflow: {
    format: 'flowforge.workflow/1',
    name: 'Sales by channel',
    description: 'One file in, two results out: large sales to look at, and a month by channel table',
    parameters: { large: { type: 'number', default: 400 } },
    nodes: [
      { id: 'sales', kind: 'source', name: 'Sales', spec: { dataSource: 'example-sales.csv' } },
      {
        id: 'split',
        kind: 'branch',
        name: 'Large or usual',
        spec: { mode: 'first', outputs: [{ name: 'large', when: 'amount >= $large' }, { name: 'usual' }] }
      },
      {
        id: 'large_sorted',
        kind: 'transform',
        name: 'Largest first',
        spec: { steps: [{ op: 'sort', by: [{ column: 'amount', descending: true }, { column: 'id' }] }] }
      },
      {
        id: 'monthly',
        kind: 'transform',
        name: 'By month and channel',
        spec: {
          steps: [
            { op: 'derive', columns: { month: "strftime(sold_at, '%Y-%m')" } },
            {
              op: 'aggregate',
              groupBy: ['month', 'channel'],
              columns: { sales: 'count(*)', units: 'sum(units)', amount: 'round(fsum(amount), 2)' }
            },
            { op: 'sort', by: [{ column: 'month' }, { column: 'channel' }] }
          ]
        }
      },
      {
        id: 'large_file',
        kind: 'sink',
        name: 'Large sales',
        spec: { format: 'json', fileName: 'large-sales.json' }
      },
      {
        id: 'monthly_file',
        kind: 'sink',
        name: 'Monthly table',
        spec: { format: 'csv', fileName: 'sales-by-month.csv' }
      }
    ],
    edges: [
      { from: 'sales', to: 'split' },
      { from: 'split', fromPort: 'large', to: 'large_sorted' },
      { from: 'split', fromPort: 'usual', to: 'monthly' },
      { from: 'large_sorted', to: 'large_file' },
      { from: 'monthly', to: 'monthly_file' }
    ]
  }
})
