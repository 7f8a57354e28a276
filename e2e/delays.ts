import { readFileSync } from 'node:fs'

/** The two files that the journey begins with, and what its workflow must answer, computed without FlowForge. */
const folder = new URL('../node_modules/vega-datasets/data/', import.meta.url)
const fileOf = (name: string, type: string) => ({ name, type, bytes: readFileSync(new URL(name, folder)) })

export const airportsFile = fileOf('airports.csv', 'text/csv')
export const flightsFile = fileOf('flights-2k.json', 'application/json')

/** RFC 4180: fields in quotes may hold commas, quotes and line breaks. */
const parseCsv = (text: string): string[][] => {
  const records: string[][] = []
  let record: string[] = []
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    record.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    if (record.length > 1 || record[0] !== '') records.push(record)
    record = []
  }
  return records
}

export type StateDelay = { readonly state: string; readonly flights: number; readonly mean_delay: number }

/** Flights that were 15 minutes late or more, joined with the airport they left, by state. */
export const expectedDelays = (): readonly StateDelay[] => {
  const [header = [], ...airports] = parseCsv(airportsFile.bytes.toString('utf8'))
  const [iata, state] = [header.indexOf('iata'), header.indexOf('state')]
  const flights = JSON.parse(flightsFile.bytes.toString('utf8')) as { origin: string; delay: number }[]
  const delays = new Map<string, number[]>()
  for (const { origin, delay } of flights) {
    if (delay < 15) continue
    for (const airport of airports) {
      if (airport[iata] !== origin) continue
      const name = airport[state] ?? ''
      delays.set(name, [...(delays.get(name) ?? []), delay])
    }
  }
  return [...delays]
    .map(([name, values]) => ({
      state: name,
      flights: values.length,
      mean_delay: values.reduce((sum, value) => sum + value, 0) / values.length
    }))
    .toSorted((a, b) => b.flights - a.flights || (a.state < b.state ? -1 : 1))
}

/** The example of the workflow document, sorted by a second key so that its order is settled. */
export const delaysDocument = {
  format: 'flowforge.workflow/1',
  name: 'Delays by state',
  description: 'Which states suffer most from late flights',
  parameters: { minDelay: { type: 'number', default: 15 } },
  nodes: [
    { id: 'flights', kind: 'source', name: 'Flights', spec: { dataSource: 'flights-2k.json' } },
    { id: 'airports', kind: 'source', name: 'Airports', spec: { dataSource: 'airports.csv' } },
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
            columns: { flights: 'count(*)', mean_delay: 'avg(delay)' }
          },
          { op: 'sort', by: [{ column: 'flights', descending: true }, { column: 'state' }] }
        ]
      }
    },
    {
      id: 'result',
      kind: 'sink',
      name: 'Result',
      spec: { format: 'csv', fileName: 'delays-by-state.csv' }
    }
  ],
  edges: [
    { from: 'flights', to: 'late' },
    { from: 'late', to: 'located', toPort: 'left' },
    { from: 'airports', to: 'located', toPort: 'right' },
    { from: 'located', to: 'by_state' },
    { from: 'by_state', to: 'result' }
  ]
}
