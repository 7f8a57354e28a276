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
