import { expect, test } from 'vitest'
import { startInNode } from '../contract/duckdb-in-node.ts'
import { testWorld } from '../contract/store-contract.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import { openSqliteContext } from '../sqlite/sqlite-context.ts'
import { openDuckDBContext } from './duckdb-context.ts'
import { readSchema } from './schema.ts'

const TYPES: Record<string, string> = { TEXT: 'VARCHAR', INTEGER: 'BIGINT', REAL: 'DOUBLE', BLOB: 'BLOB' }

test('tables, columns and types are those of schema.sql and its migrations', async () => {
  const sqlite = await openSqliteContext({ storage: 'memory', ...testWorld() })
  const duckdb = await openDuckDBContext({ storage: 'memory', ...testWorld() }, startInNode)
  const columnsOf = (type: 'table' | 'view') =>
    sqlite.projectionStore.query({
      sql: `SELECT t.name AS "table", c.name AS "column", c.type FROM sqlite_schema t, pragma_table_info(t.name) c
          WHERE t.type = '${type}' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid`
    })
  const expected = await columnsOf('table')
  const views = (await columnsOf('view')).map((row) => ({ table: row['table'], column: row['column'] }))
  const found = await duckdb.projectionStore.query({
    sql: `SELECT table_name AS "table", column_name AS "column", data_type AS "type" FROM information_schema.columns
          WHERE table_catalog = current_database() AND table_schema = 'main' ORDER BY table_name, ordinal_position`
  })
  const isOfView = (row: Record<string, unknown>) => views.some(({ table }) => table === row['table'])
  // SQLite's views have no types to compare.
  expect(found.filter(isOfView).map((row) => ({ table: row['table'], column: row['column'] }))).toEqual(views)
  expect(views.length).toBeGreaterThan(5)
  expect(found.filter((row) => !isOfView(row))).toEqual(
    expected.map((row) => ({ ...row, type: TYPES[String(row['type'])] }))
  )
  expect(expected.length).toBeGreaterThan(150)
  expect((await duckdb.facts()).schemaVersion).toBe((await sqlite.facts()).schemaVersion)
  await Promise.all([sqlite.close(), duckdb.close()])
})

test('conditions, keys and references are read from what SQLite made', async () => {
  const schema = await readSchema(() => 'now')
  const table = (name: string) => schema.tables.find((each) => each.name === name)
  expect(table('events')).toMatchObject({
    primaryKey: ['position'],
    uniqueKeys: expect.arrayContaining([['id'], ['aggregate_type', 'aggregate_id', 'seq']]),
    checks: expect.arrayContaining(['json_valid(payload_json)', 'event_version >= 1'])
  })
  expect(table('blobs')?.checks).toEqual(['(bytes IS NULL) <> (file_name IS NULL)'])
  expect(schema.foreignKeys).toContainEqual({
    child: 'edges',
    column: 'to_node_id',
    parent: 'nodes',
    parentColumn: 'id'
  })
  expect(schema.partialKeys.map(({ where }) => where.trim()).toSorted()).toEqual([
    `status = 'active'`,
    `status = 'draft'`
  ])
})

test('a later step that DuckDB has no answer to is refused, not left out', async () => {
  const step = (sql: string) => ({ version: (MIGRATIONS.at(-1)?.version ?? 0) + 1, name: 'next', sql })
  const withStep = (sql: string) => readSchema(() => 'now', [...MIGRATIONS, step(sql)])
  const trigger = 'CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM runs; END'
  await expect(withStep(trigger)).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining('"t"')
  })
  const { tables } = await withStep('ALTER TABLE runs ADD COLUMN note TEXT')
  expect(tables.find(({ name }) => name === 'runs')?.columns.at(-1)?.name).toBe('note')
})
