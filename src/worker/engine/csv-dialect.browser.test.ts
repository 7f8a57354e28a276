import { afterAll, expect, test } from 'vitest'
import type { CsvDialect } from './compute-engine.ts'
import { readCsv } from './csv-dialect.ts'
import { createSessions, type Workplace } from './sessions.ts'

const sessions = createSessions()
afterAll(() => sessions.close())

const DIALECT: CsvDialect = {
  delimiter: ',',
  quote: '"',
  escape: '"',
  header: true,
  skip: 0,
  quotedNulls: false
}
const COLUMNS = [
  { name: 'key', type: 'integer', engineType: 'BIGINT' },
  { name: 'day', type: 'date', engineType: 'DATE' },
  { name: 'text', type: 'text', engineType: 'VARCHAR' }
] as const
const ROWS = 200_000

/** What the engine looks a row up in: it keeps that whole in memory. */
const builtFrom = async ({ session }: Workplace, isWeighed: boolean): Promise<string> => {
  const lines = Array.from({ length: ROWS }, (_, at) => `${at},1899-02-${(at % 28) + 1},"007"`)
  const path = await session.registerFile(new Blob([`key,day,text\n${lines.join('\n')}\n`]))
  const file = readCsv(path, DIALECT, COLUMNS, { isWeighed })
  await session.run('CREATE OR REPLACE TEMP TABLE few AS SELECT range AS key FROM range(1000)')
  expect(
    await session.rows(
      `SELECT count(*)::DOUBLE AS n, min(day)::VARCHAR AS day, any_value(text) AS text FROM ${file}`
    )
  ).toEqual([{ n: ROWS, day: '1899-02-01', text: '007' }])
  const [plan] = await session.rows(`EXPLAIN (FORMAT json) SELECT count(*) FROM ${file} JOIN few USING (key)`)
  const join = JSON.stringify(JSON.parse(String(plan?.['explain_value'])))
  return (
    join
      .slice(join.indexOf('HASH_JOIN'))
      .match(/SEQ_SCAN|READ_CSV/g)
      ?.at(-1) ?? ''
  )
}

test('a join with a weighed file keeps the few rows in memory, and reads past the many', async () => {
  await sessions.work({}, async (place) => {
    expect(await builtFrom(place, true)).toBe('SEQ_SCAN')
    // What weighing is for: when this no longer holds, it has become needless.
    expect(await builtFrom(place, false)).toBe('READ_CSV')
  })
})

const numbered = (line: (at: number) => string): string =>
  `${Array.from({ length: 30_000 }, (_, at) => line(at)).join('\n')}\n`
const two = (at: number): string => String(1 + (at % 12)).padStart(2, '0')

/** Files that the engine would guess something else about than it was told. */
const FILES: readonly {
  readonly name: string
  readonly types: readonly ('DATE' | 'TIMESTAMP' | 'BIGINT' | 'VARCHAR')[]
  readonly text: string
  readonly dialect?: Partial<CsvDialect>
}[] = [
  {
    name: 'texts that look like dates of another form',
    types: ['VARCHAR', 'DATE'],
    text: `a,b\n${numbered((at) => `${two(at)}/${13 + (at % 12)}/2020,2020-01-${two(at)}`)}`
  },
  {
    name: 'dates that come late, beside texts that look like dates',
    types: ['DATE', 'VARCHAR'],
    text: `a,b\n${numbered((at) => (at < 25_000 ? ',12/31/2020' : `2020-01-${two(at)},x`))}`
  },
  {
    name: 'times that come late, beside texts that look like times',
    types: ['VARCHAR', 'TIMESTAMP'],
    text: `a,b\n${numbered((at) => `12/13/2020 01:00:00 PM,${at < 25_000 ? '' : '2020-01-03 10:00:00.5'}`)}`
  },
  {
    name: 'a first row that looks like a header',
    types: ['VARCHAR', 'VARCHAR'],
    dialect: { header: false },
    text: `1,name\n${numbered((at) => `${at},2`)}`
  },
  {
    name: 'a header that looks like a row',
    types: ['BIGINT', 'BIGINT'],
    text: `1,2\n${numbered((at) => `${at},2`)}`
  },
  {
    name: 'lines before the header',
    types: ['BIGINT', 'VARCHAR'],
    dialect: { skip: 2 },
    text: `title\nof two words\na,b\n${numbered((at) => `${at},z`)}`
  },
  {
    name: 'marks of comments and spaces',
    types: ['VARCHAR', 'VARCHAR'],
    dialect: { header: false },
    text: `#c,d\n# e , f \n${numbered(() => 'y, 2 ')}`
  },
  {
    name: 'quotes that quote nothing',
    types: ['VARCHAR', 'VARCHAR'],
    dialect: { quote: '', escape: '' },
    text: `a,b\n${numbered((at) => `6" pipe ${at},"1`)}`
  },
  {
    name: 'ends of lines as Windows writes them, and others inside of quotes',
    types: ['BIGINT', 'VARCHAR'],
    text: `a,b\n${numbered((at) => `${at},"two=lines"`)}`.replaceAll('\n', '\r\n').replaceAll('=', '\n')
  },
  {
    name: 'empty lines',
    types: ['VARCHAR'],
    text: `a\n\n\n${numbered((at) => (at % 3 === 0 ? '' : `x${at}`))}`
  }
]

for (const { name, types, text, dialect } of FILES) {
  test(`a weighed file gives the rows that it gives unweighed: ${name}`, async () => {
    const columns = types.map((engineType, at) => ({
      name: `c${at}`,
      type: 'text' as const,
      engineType
    }))
    await sessions.work({}, async ({ session }) => {
      const path = await session.registerFile(new Blob([text]))
      const read = (isWeighed: boolean): string => {
        const file = readCsv(path, { ...DIALECT, ...dialect }, columns, { isWeighed })
        return `SELECT row_number() OVER () AS at, line::VARCHAR AS line FROM ${file} AS line`
      }
      const [found] = await session.rows(
        `WITH told AS (${read(false)}), weighed AS (${read(true)})
         SELECT (SELECT count(*) FROM told)::DOUBLE AS rows,
           (SELECT count(*) FROM (FROM told EXCEPT FROM weighed))::DOUBLE AS missing,
           (SELECT count(*) FROM (FROM weighed EXCEPT FROM told))::DOUBLE AS more`
      )
      expect(found).toMatchObject({ missing: 0, more: 0 })
      expect(found?.['rows']).toBeGreaterThanOrEqual(20_000)
    })
  })
}
