import { expect, it } from 'vitest'
import { toOpenLineage, type LineageArtifact, type LineageLink, type LineageRun } from './open-lineage.ts'

const RUN: LineageRun = {
  runId: 'run:01890000-0000-7000-8000-000000000001',
  workflowName: 'Delays',
  status: 'succeeded',
  startedAt: '2026-11-24T10:00:00.000Z',
  finishedAt: '2026-11-24T10:00:01.000Z',
  error: null
}
const artifact = (id: string, rest: Partial<LineageArtifact>): LineageArtifact => ({
  id,
  role: 'result',
  fileName: null,
  nodeId: id,
  columns: [{ name: 'state', engineType: 'VARCHAR' }],
  sha256: `hash-${id}`,
  ...rest
})
const ARTIFACTS = [
  artifact('flights', { role: 'source', fileName: 'flights.csv' }),
  artifact('result', {
    columns: [
      { name: 'state', engineType: 'VARCHAR' },
      { name: 'mean', engineType: 'DOUBLE' }
    ]
  }),
  artifact('file', { fileName: 'result.csv', nodeId: 'result' })
]
const LINKS: LineageLink[] = [
  {
    from: 'flights',
    to: 'result',
    edge: {
      columns: [
        { to: 'state', from: 'origin', type: 'DIRECT', subtype: 'IDENTITY' },
        { to: 'mean', from: 'delay', type: 'DIRECT', subtype: 'AGGREGATION' },
        { to: 'mean', from: 'delay', type: 'INDIRECT', subtype: 'CONDITIONAL', maybe: true }
      ],
      rows: [{ from: 'origin', type: 'INDIRECT', subtype: 'GROUP_BY' }]
    }
  },
  { from: 'result', to: 'file', edge: { isCopy: true } }
]

it('tells a run by its start and its end, with the columns that each column comes from', () => {
  const [started, ended, ...others] = toOpenLineage(RUN, ARTIFACTS, LINKS)
  expect(others).toEqual([])
  expect(started).toMatchObject({ eventType: 'START', eventTime: RUN.startedAt, inputs: [], outputs: [] })
  expect(ended).toMatchObject({
    eventType: 'COMPLETE',
    eventTime: RUN.finishedAt,
    schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
    run: { runId: '01890000-0000-7000-8000-000000000001' },
    job: { namespace: 'flowforge', name: 'Delays' },
    inputs: [{ namespace: 'flowforge', name: 'flights.csv' }]
  })
  const [table, file] = ended?.outputs ?? []
  expect(table?.name).toBe('Delays/result')
  expect(table?.facets['columnLineage']).toEqual({
    _producer: 'urn:flowforge',
    _schemaURL:
      'https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet',
    fields: {
      state: {
        inputFields: [
          {
            namespace: 'flowforge',
            name: 'flights.csv',
            field: 'origin',
            transformations: [{ type: 'DIRECT', subtype: 'IDENTITY' }]
          }
        ]
      },
      mean: {
        inputFields: [
          {
            namespace: 'flowforge',
            name: 'flights.csv',
            field: 'delay',
            transformations: [
              { type: 'DIRECT', subtype: 'AGGREGATION' },
              {
                type: 'INDIRECT',
                subtype: 'CONDITIONAL',
                description: 'not known for certain: behind a query'
              }
            ]
          }
        ]
      }
    },
    dataset: [
      {
        namespace: 'flowforge',
        name: 'flights.csv',
        field: 'origin',
        transformations: [{ type: 'INDIRECT', subtype: 'GROUP_BY' }]
      }
    ]
  })
  // A file's lineage is that of the table that it was made from.
  expect(file?.name).toBe('Delays/result.csv')
  expect(file?.facets['columnLineage']?.['dataset']).toEqual(table?.facets['columnLineage']?.['dataset'])
})

it('tells why a run failed, and of one that goes on only that it started', () => {
  const failed = toOpenLineage({ ...RUN, status: 'failed', error: 'No such column' }, [], [])
  expect(failed[1]).toMatchObject({
    eventType: 'FAIL',
    run: { facets: { errorMessage: { message: 'No such column' } } }
  })
  expect(toOpenLineage({ ...RUN, status: 'running', finishedAt: null }, [], [])).toHaveLength(1)
})

it('tells of a file that two nodes read once', () => {
  const twice = [
    artifact('a', { role: 'source', fileName: 'x.csv', sha256: 'one' }),
    artifact('b', { role: 'source', fileName: 'x.csv', sha256: 'one' }),
    artifact('result', {})
  ]
  const edge: LineageLink['edge'] = {
    columns: [{ to: 'state', from: 'origin', type: 'DIRECT', subtype: 'IDENTITY' }],
    rows: [{ from: 'origin', type: 'INDIRECT', subtype: 'FILTER' }]
  }
  const links = ['a', 'b'].map((from): LineageLink => ({ from, to: 'result', edge }))
  const [, ended] = toOpenLineage(RUN, twice, links)
  expect(ended?.inputs).toHaveLength(1)
  const input = (type: string, subtype: string) => ({
    namespace: 'flowforge',
    name: 'x.csv',
    field: 'origin',
    transformations: [{ type, subtype }]
  })
  expect(ended?.outputs[0]?.facets['columnLineage']).toMatchObject({
    fields: { state: { inputFields: [input('DIRECT', 'IDENTITY')] } },
    dataset: [input('INDIRECT', 'FILTER')]
  })
})

it('tells files of the same name apart by what is in them', () => {
  const twice = [
    artifact('a', { role: 'source', fileName: 'x.csv' }),
    artifact('b', { role: 'source', fileName: 'x.csv' })
  ]
  const names = toOpenLineage(RUN, twice, [])[1]?.inputs.map(({ name }) => name)
  expect(names).toEqual(['x.csv@hash-a', 'x.csv@hash-b'])
})
