import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeBlobStore, describeBlobTransactions } from '../contract/blob-store-contract.ts'
import { startInNode } from '../contract/duckdb-in-node.ts'
import { describeEventStore } from '../contract/event-store-contract.ts'
import { describeProjectionStore } from '../contract/projection-store-contract.ts'
import { describeRebuilds } from '../contract/rebuild-contract.ts'
import { testWorld, workflowRow } from '../contract/store-contract.ts'
import { describeTransactions } from '../contract/transaction-contract.ts'
import type { DbContext } from '../ports.ts'
import { openDuckDBContext } from './duckdb-context.ts'

const open = () => openDuckDBContext({ storage: 'memory', ...testWorld() }, startInNode)

describeEventStore('DuckDB in memory', open)
describeProjectionStore('DuckDB in memory', open, [
  'SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY ALL',
  'SELECT view_name FROM duckdb_views() WHERE database_name = current_database() ORDER BY ALL',
  'SELECT name, value FROM duckdb_settings() ORDER BY name'
])
describeRebuilds('DuckDB in memory', open)
describeTransactions('DuckDB in memory', open)
describeBlobStore('DuckDB in memory', open)
describeBlobTransactions('DuckDB in memory', open)

describe('what DuckDB does not do by itself', () => {
  let context: DbContext
  beforeEach(async () => {
    context = await open()
  })
  afterEach(async () => {
    await context.close()
  })
  const upsert = (table: string, ...rows: Record<string, unknown>[]) =>
    context.projectionStore.upsert({ table, rows })
  const query = (sql: string, params: unknown[] = []) => context.projectionStore.query({ sql, params })
  const version = (id: string, number: number, status: string) => ({
    id,
    workflow_id: 'w1',
    version: number,
    status,
    created_at: 'now'
  })

  test.each([
    ['COPY', `COPY workflows TO 'out.csv'`],
    ['a setting', `SET threads = 2`],
    ['a variable', `SET VARIABLE x = 1`],
    ['an extension', `INSTALL json`],
    ['a call', `CALL enable_logging()`],
    ['a call as a table', `SELECT * FROM enable_logging()`],
    ['a checkpoint', `SELECT * FROM checkpoint()`],
    ['a file', `SELECT * FROM read_text('/etc/hostname')`],
    ['a prepared statement', `PREPARE x AS SELECT 1`],
    ['another database', `USE memory`],
    ['a schema', `CREATE SCHEMA s`],
    ['a subquery that is closed', `SELECT 1) AS a; DELETE FROM workflows; SELECT * FROM (SELECT 1`],
    ['the rows behind the log', `DELETE FROM stored.events`]
  ])('%s is not for readers', async (_what, sql) => {
    await upsert('workflows', workflowRow('w1'))
    await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
    await expect(context.projectionStore.read({ sql })).rejects.toMatchObject({
      code: expect.stringMatching(/^(NOT_ALLOWED|INVALID_INPUT)$/)
    })
    expect(await query('SELECT count(*) AS n FROM workflows')).toEqual([{ n: 1 }])
    expect(await context.eventStore.readAll({})).toHaveLength(1)
  })

  test('an event is locked by the engine, whatever the words', async () => {
    await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
    for (const sql of [
      `MERGE INTO events USING (SELECT 1) ON true WHEN MATCHED THEN DELETE`,
      `TRUNCATE events`,
      `ALTER TABLE events RENAME TO gone`
    ]) {
      await expect(query(sql)).rejects.toThrow()
    }
    expect(await context.eventStore.readAll({})).toHaveLength(1)
  })

  test('references hold, at once or at the commit', async () => {
    await upsert('workflows', workflowRow('w1'))
    await upsert('workflow_versions', version('v1', 1, 'draft'))
    const invalid = { code: 'INVALID_INPUT', message: expect.stringContaining('FOREIGN KEY') }
    await expect(context.projectionStore.truncate({ table: 'workflows' })).rejects.toMatchObject(invalid)
    await expect(
      context.projectionStore.remove({ table: 'workflows', where: { id: 'w1' } })
    ).rejects.toMatchObject(invalid)
    await expect(
      context.projectionStore.update({
        table: 'workflow_versions',
        where: { id: 'v1' },
        set: { workflow_id: 'no' }
      })
    ).rejects.toMatchObject(invalid)
    await expect(query(`DELETE FROM workflows`)).rejects.toMatchObject(invalid)
    const deferred = (isMended: boolean) =>
      context.tx.runInTransaction(async (tx) => {
        await tx.projectionStore.query({ sql: 'PRAGMA defer_foreign_keys = ON' })
        await tx.projectionStore.truncate({ table: 'workflows' })
        if (isMended)
          await tx.projectionStore.upsert({ table: 'workflows', rows: [workflowRow('w1', 'again')] })
      })
    await expect(deferred(false)).rejects.toMatchObject(invalid)
    expect(await query('SELECT name FROM workflows')).toEqual([{ name: 'w1' }])
    await deferred(true)
    expect(await query('SELECT name FROM workflows')).toEqual([{ name: 'again' }])
    await expect(context.projectionStore.truncate({ table: 'workflows' })).rejects.toMatchObject(invalid)
  })

  test('one draft a workflow', async () => {
    await upsert('workflows', workflowRow('w1'))
    await upsert('workflow_versions', version('v1', 1, 'draft'), version('v2', 2, 'archived'))
    await expect(upsert('workflow_versions', { id: 'v2', status: 'draft' })).rejects.toMatchObject({
      code: 'CONFLICT'
    })
    await expect(query(`UPDATE workflow_versions SET status = 'draft'`)).rejects.toMatchObject({
      code: 'CONFLICT'
    })
    expect(await query('SELECT status FROM workflow_versions ORDER BY id')).toEqual([
      { status: 'draft' },
      { status: 'archived' }
    ])
  })

  test('JSON is valid, whoever writes it', async () => {
    const row = { id: 'd1', name: 'x', kind: 'csv', config_json: '{', created_at: 'now' }
    await expect(upsert('data_sources', row)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const sql = `INSERT INTO data_sources VALUES ('d1', 'x', 'csv', 'nothing', NULL, 'now')`
    await expect(query(sql)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await upsert('data_sources', { ...row, config_json: { a: [1, { b: 'é' }], t: true } })
    expect(
      await query(
        `SELECT config_json ->> '$.a[1].b' AS b, json_type(config_json, '$.a') AS a, config_json ->> '$.t' AS t,
         config_json ->> '$.none' AS none FROM data_sources WHERE 'b' IN (SELECT value FROM json_each(?))`,
        ['["a","b"]']
      )
    ).toEqual([{ b: 'é', a: 'array', t: '1', none: null }])
  })

  test('an arrow binds before AND and before a comparison, and text stays as it is', async () => {
    const sql = `SELECT name -- a ->> '$.b'
      FROM data_sources d WHERE kind = ? AND d.config_json ->> '$.a' = ? AND config_json ->> '$.b' = 'x ->> ''$.c'''`
    const config_json = { a: 'one', b: `x ->> '$.c'` }
    await upsert('data_sources', { id: 'd1', name: 'x', kind: 'csv', config_json, created_at: 'now' })
    expect(await query(sql, ['csv', 'one'])).toEqual([{ name: 'x' }])
    expect(await query(sql, ['csv', 'two'])).toEqual([])
    expect((await context.projectionStore.read({ sql, params: ['csv', 'one'] })).rows).toEqual([
      { name: 'x' }
    ])
  })

  test('a failure deep in a transaction takes back what it must and nothing else', async () => {
    await context.tx.runInTransaction(async (tx) => {
      await upsertWithin(tx, 'w1')
      const failed = tx.tx.runInTransaction(async (inner) => {
        await upsertWithin(inner, 'w2')
        await inner.projectionStore.query({ sql: `SELECT CAST('x' AS INTEGER)` }).catch(() => undefined)
        await upsertWithin(inner, 'w3')
        await inner.tx.runInTransaction((deep) => upsertWithin(deep, 'w1', 'w3')).catch(() => undefined)
        await inner.tx.runInTransaction((deep) => upsertWithin(deep, 'w4'))
        throw new Error('no')
      })
      await expect(failed).rejects.toThrow('no')
      await tx.tx.runInTransaction((inner) => upsertWithin(inner, 'w5'))
      await expect(upsertWithin(tx, 'w6', 'w5')).rejects.toMatchObject({ code: 'CONFLICT' })
      await upsertWithin(tx, 'w7')
    })
    expect(await query('SELECT id FROM workflows ORDER BY id')).toEqual([
      { id: 'w1' },
      { id: 'w5' },
      { id: 'w7' }
    ])
  })

  test('a position is never used again', async () => {
    const append = (on: DbContext) =>
      on.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
    const positions: number[] = []
    await context.tx
      .runInTransaction(async (tx) => {
        positions.push((await append(tx)).position)
        throw new Error('no')
      })
      .catch(() => undefined)
    positions.push((await append(context)).position)
    expect(positions).toEqual([1, 2])
  })
})

const upsertWithin = (tx: DbContext, id: string, name = id) =>
  tx.projectionStore.upsert({ table: 'workflows', rows: [workflowRow(id, name)] })
