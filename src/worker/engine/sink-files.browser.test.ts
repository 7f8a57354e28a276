import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { WrittenArtifact } from './compute-engine.ts'
import { IN_MEMORY, listening, openTestEngine, type TestEngine } from './contract/test-engine.ts'

let bed: TestEngine
beforeAll(async () => {
  bed = openTestEngine(await openDbContext(IN_MEMORY))
})
afterAll(() => bed.close())

const never = new AbortController().signal
const QUERY = `SELECT n AS id, CAST('123456789012345678.25' AS DECIMAL(20,2)) AS price, 9007199254740993 AS big,
  DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 10:30:00' AS at, 'a "b", c' AS t, '' AS empty, NULL AS none, n = 1 AS yes,
  [n, n + 1] AS list FROM input`

/** Runs a query over some numbers and gives back what was written. */
const written = async (rows: number, query: string, format: 'csv' | 'json' | 'xlsx') => {
  const source = await bed.prepare(
    'n.csv',
    `n\n${Array.from({ length: rows }, (_, at) => at + 1).join('\n')}\n`
  )
  const node = (id: string, kind: 'source' | 'transform' | 'sink', spec: Record<string, unknown>) => ({
    id,
    kind,
    name: id,
    spec
  })
  const { plan, sources } = await bed.plan(
    {
      nodes: [
        node('numbers', 'source', { dataSource: 'n' }),
        node('work', 'transform', { steps: [{ op: 'sql', query }] }),
        node('out', 'sink', { format, fileName: `out.${format}` })
      ],
      edges: [
        ['numbers', 'work'],
        ['work', 'out']
      ]
    },
    { n: source }
  )
  const told = listening()
  const outcome = await bed.engine.execute({ plan, sources, signal: never, listener: told.listener })
  const [table, file] = told.artifacts
  return { outcome, table, file }
}

const bytesOf = async (artifact: WrittenArtifact | undefined): Promise<Uint8Array<ArrayBuffer>> => {
  const stored = await bed.context.blobStore.get({ key: artifact?.blobKey ?? '' })
  return stored?.data ?? new Uint8Array()
}
const textOf = async (artifact: WrittenArtifact | undefined) =>
  new TextDecoder().decode(await bytesOf(artifact))

describe('a file keeps every digit', () => {
  test('as CSV, where empty text and NULL stay apart', async () => {
    const { file } = await written(1, QUERY, 'csv')
    expect(await textOf(file)).toBe(
      'id,price,big,day,at,t,empty,none,yes,list\n' +
        '1,123456789012345678.25,9007199254740993,2024-02-29,2024-02-29T10:30:00.000,"a ""b"", c","",,true,"[1,2]"\n'
    )
  })

  test('as JSON', async () => {
    const { file } = await written(2, QUERY, 'json')
    const text = await textOf(file)
    expect(text).toContain('"price":123456789012345678.25,"big":9007199254740993,')
    expect(JSON.parse(text)).toMatchObject([
      { id: 1, t: 'a "b", c', empty: '', none: null, yes: true, list: [1, 2] },
      { id: 2, yes: false }
    ])
    expect(await textOf((await written(1, 'SELECT n FROM input WHERE n > 5', 'json')).file)).toBe('[]\n')
  })

  test('as Excel, where long numbers are text', async () => {
    const { file } = await written(1, QUERY, 'xlsx')
    const back = await bed.prepare('back.xlsx', await bytesOf(file))
    expect(await bed.rows(back)).toEqual([
      {
        id: 1,
        price: '123456789012345678.25',
        big: '9007199254740993',
        day: '2024-02-29',
        at: '2024-02-29T10:30:00.000',
        t: 'a "b", c',
        empty: null,
        none: null,
        yes: true,
        list: '[1,2]'
      }
    ])
  })
})

test('a sheet that cannot hold the rows fails at its node and says what to do', async () => {
  const { outcome } = await written(
    1_025,
    'SELECT a.n FROM input a CROSS JOIN input b WHERE b.n <= 1024',
    'xlsx'
  )
  expect(outcome).toMatchObject({ status: 'failed', nodeId: 'out' })
  expect(outcome.status === 'failed' && outcome.message).toContain('1048575 rows')
})

test('a slice of a large table is read from the pieces that hold it', async () => {
  const { table } = await written(
    2_000,
    `SELECT (a.n - 1) * 1000 + b.n AS i, repeat('x', 40) AS t FROM input a CROSS JOIN input b WHERE a.n <= 1000 AND b.n <= 1000 ORDER BY i`,
    'csv'
  )
  expect(table?.layout?.pieces.length).toBeGreaterThan(2)
  const first = table?.layout?.pieces[0]?.rows ?? 0
  const page = await bed.engine.readArtifact({
    blobKey: table?.blobKey ?? '',
    layout: table?.layout ?? { pieces: [] },
    columns: table?.columns ?? [],
    offset: first - 1,
    limit: 3
  })
  expect(page.rows.map(({ i }) => i)).toEqual([first, first + 1, first + 2])
  expect(page.total).toBe(1_000_000)
})

test('an artifact is saved in another format than it was written in', async () => {
  const { table } = await written(2, 'SELECT n FROM input', 'csv')
  const blob = await bed.engine.saveArtifact({
    blobKey: table?.blobKey ?? '',
    layout: table?.layout ?? { pieces: [] },
    columns: table?.columns ?? [],
    format: 'json'
  })
  expect(JSON.parse(await blob.text())).toEqual([{ n: 1 }, { n: 2 }])
  expect(blob.type).toBe('application/json')
})
