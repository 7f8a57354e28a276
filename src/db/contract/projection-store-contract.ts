import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DbContext } from '../ports.ts'
import { workflowRow, type OpenContext } from './store-contract.ts'

/** What SQLite says of its schema and settings. */
const SQLITE_CATALOG = ['SELECT name FROM sqlite_schema ORDER BY name', 'PRAGMA user_version']

/**
 * What every adapter's projection store does.
 *
 * @param catalog queries whose answers show the engine's schema and settings, which no reader may change
 */
export const describeProjectionStore = (
  title: string,
  open: OpenContext,
  catalog: readonly string[] = SQLITE_CATALOG
): void => {
  describe(`${title}: projection store`, () => {
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
    const read = (sql: string, params: unknown[] = []) => context.projectionStore.read({ sql, params })

    test('rows are inserted, and updated where their key is there', async () => {
      await upsert(
        'workflows',
        { ...workflowRow('w1', 'One'), description: 'first' },
        workflowRow('w2', 'Two')
      )
      await upsert('workflows', { ...workflowRow('w1', 'Uno') })
      expect(await query('SELECT id, name, description FROM workflows ORDER BY id')).toEqual([
        { id: 'w1', name: 'Uno', description: 'first' },
        { id: 'w2', name: 'Two', description: null }
      ])
    })

    test('the document’s own rows fit', async () => {
      const run = {
        id: 'run-123',
        workflow_version_id: 'wfv-456',
        trigger: 'manual',
        status: 'queued',
        created_at: new Date().toISOString()
      }
      await upsert('runs', run)
      expect(await query('SELECT * FROM runs')).toEqual([expect.objectContaining(run)])
      await upsert('runs', { id: run.id, status: 'running' })
      expect(await query('SELECT * FROM runs')).toEqual([
        expect.objectContaining({ ...run, status: 'running' })
      ])
      await expect(upsert('runs', { id: 'unknown', status: 'running' })).rejects.toMatchObject({
        code: 'INVALID_INPUT'
      })
    })

    test('objects are stored as JSON, booleans as 0 and 1', async () => {
      await upsert('data_sources', {
        id: 'd1',
        name: 'Files',
        kind: 'file',
        config_json: { path: ['a', 'b'] },
        created_at: new Date(0)
      })
      await upsert('workflows', workflowRow('w1'))
      await upsert('schedules', {
        id: 's1',
        workflow_id: 'w1',
        cron: '* * * * *',
        enabled: false,
        created_at: 'now'
      })
      expect(await query('SELECT config_json, created_at FROM data_sources')).toEqual([
        { config_json: '{"path":["a","b"]}', created_at: '1970-01-01T00:00:00.000Z' }
      ])
      expect(await query('SELECT enabled FROM schedules')).toEqual([{ enabled: 0 }])
    })

    test('numbers keep every digit', async () => {
      expect(await query('SELECT ? AS big, ? AS small', [9_007_199_254_740_993n, 7])).toEqual([
        { big: 9_007_199_254_740_993n, small: 7 }
      ])
    })

    test('a bad row leaves none of its call behind, and says what is wrong', async () => {
      await expect(
        upsert('workflows', workflowRow('w1', 'Same'), workflowRow('w2', 'Same'))
      ).rejects.toMatchObject({
        code: 'CONFLICT'
      })
      await expect(upsert('workflows', { ...workflowRow('w3'), nmae: 'x' })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        details: { table: 'workflows', column: 'nmae' }
      })
      await expect(
        upsert('runs', {
          id: 'r',
          workflow_version_id: 'v',
          trigger: 'whim',
          status: 'queued',
          created_at: 'x'
        })
      ).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      await expect(
        upsert('run_steps', { id: 's', run_id: 'nobody', node_id: 'n', status: 'queued' })
      ).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      expect(await query('SELECT * FROM workflows')).toEqual([])
    })

    test.each([
      'events',
      'snapshots',
      'projection_checkpoints',
      'projection_states',
      'projection_skips',
      'direct_writes',
      'schema_migrations',
      'blobs',
      'sqlite_sequence',
      'EVENTS'
    ])('the table %s is not for callers', async (table) => {
      await expect(upsert(table, { id: 'x' })).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
      await expect(context.projectionStore.truncate({ table })).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
    })

    test('a value that cannot be stored is refused by its column', async () => {
      const circle: Record<string, unknown> = {}
      circle['self'] = circle
      for (const value of [new Date(Number.NaN), circle, 2n ** 70n]) {
        await expect(upsert('workflows', { ...workflowRow('w1'), name: value })).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          message: expect.stringContaining('workflows.name')
        })
      }
      expect(await query('SELECT * FROM workflows')).toEqual([])
    })

    test('any number of different statements can be asked', async () => {
      for (let n = 0; n < 1_000; n += 1) {
        expect(await query(`SELECT ${n} + ? AS n`, [1])).toEqual([{ n: n + 1 }])
      }
      expect(await query('SELECT 1 AS n')).toEqual([{ n: 1 }])
    })

    test.each(['nowhere', 'workflows; DROP TABLE runs', 'workflows"', ''])(
      '%j is no table',
      async (table) => {
        await expect(upsert(table, { id: 'x' })).rejects.toMatchObject({
          code: expect.stringMatching(/^(NOT_FOUND|INVALID_INPUT)$/)
        })
      }
    )

    test('rows are updated and removed by their columns', async () => {
      await upsert('workflows', workflowRow('w1', 'One'), workflowRow('w2', 'Two'))
      await context.projectionStore.update({
        table: 'workflows',
        where: { id: 'w1' },
        set: { name: 'Uno', description: null }
      })
      await context.projectionStore.remove({ table: 'workflows', where: { id: 'w2' } })
      expect(await query('SELECT id, name FROM workflows')).toEqual([{ id: 'w1', name: 'Uno' }])
      await expect(context.projectionStore.remove({ table: 'workflows', where: {} })).rejects.toMatchObject({
        code: 'INVALID_INPUT'
      })
      await context.projectionStore.truncate({ table: 'workflows' })
      expect(await query('SELECT id FROM workflows')).toEqual([])
    })

    describe('reading for somebody who is not trusted', () => {
      beforeEach(async () => {
        await upsert('workflows', workflowRow('w1', 'Data Processing Pipeline'))
        await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
      })

      test('answers rows, and the tables it read', async () => {
        const answer = await read(
          'SELECT w.id FROM workflows w LEFT JOIN runs r ON r.id = w.id WHERE w.name LIKE ?',
          ['%Pipeline%']
        )
        expect(answer.rows).toEqual([{ id: 'w1' }])
        expect(answer.tables.toSorted()).toEqual(['runs', 'workflows'])
      })

      test('asked again, it answers with what is there by then, and with other values', async () => {
        const sql = 'SELECT id FROM workflows WHERE name LIKE ? ORDER BY id'
        expect((await read(sql, ['Data%'])).rows).toEqual([{ id: 'w1' }])
        await upsert('workflows', workflowRow('w2', 'Data again'))
        expect((await read(sql, ['Data%'])).rows).toEqual([{ id: 'w1' }, { id: 'w2' }])
        expect((await read(sql, ['%again'])).rows).toEqual([{ id: 'w2' }])
        expect(await read(sql, ['nothing'])).toEqual({ rows: [], tables: ['workflows'] })
        await expect(read(sql, ['one', 'too many'])).rejects.toMatchObject({ code: 'INVALID_INPUT' })
        expect((await read(sql, ['%again'])).rows).toEqual([{ id: 'w2' }])
      })

      test('a comment or a semicolon behind the statement is no second statement', async () => {
        expect((await read('SELECT 1 AS one; -- done\n /* really */ ;')).rows).toEqual([{ one: 1 }])
      })

      test.each([
        ['a write', `DELETE FROM workflows`],
        ['a write that returns rows', `UPDATE workflows SET name = 'x' RETURNING id`],
        ['a write behind a CTE', `WITH old AS (SELECT 'w1' AS id) DELETE FROM workflows WHERE id IN old`],
        ['an insert behind a CTE', `WITH x AS (SELECT 1) INSERT INTO runs SELECT * FROM runs`],
        ['a second statement', `SELECT 1; DELETE FROM workflows`],
        ['a second statement behind a comment', `SELECT 1 /* ; */; -- x\n DELETE FROM workflows`],
        ['a write behind a comment', `/* SELECT */ -- SELECT\n DROP TABLE runs`],
        ['a PRAGMA that writes', `PRAGMA user_version = 7`],
        ['a PRAGMA that reads', `PRAGMA journal_mode`],
        ['a PRAGMA as a function', `SELECT * FROM pragma_wal_checkpoint`],
        ['ATTACH', `ATTACH ':memory:' AS other`],
        ['DETACH', `DETACH main`],
        ['VACUUM', `VACUUM`],
        ['VACUUM INTO', `VACUUM INTO 'copy.db'`],
        ['a temporary table', `CREATE TEMP TABLE t AS SELECT 1`],
        ['a view', `CREATE VIEW v AS SELECT 1`],
        ['a transaction', `BEGIN`],
        ['a commit', `COMMIT`],
        ['a savepoint', `SAVEPOINT s`],
        ['REINDEX', `REINDEX`],
        ['ANALYZE', `ANALYZE`],
        ['code from a file', `SELECT load_extension('x')`],
        ['the pages', `SELECT data FROM sqlite_dbpage`],
        ['the number of pages', `SELECT count(*) FROM SQLITE_DBPAGE`],
        ['others’ statements', `SELECT s.sql FROM sqlite_stmt AS s`],
        ['a statement’s code', `SELECT * FROM bytecode('SELECT 1')`],
        ['what a statement uses', `SELECT * FROM tables_used('SELECT 1')`],
        ['the size of tables', `SELECT * FROM dbstat`],
        ['a second statement behind a NUL', `SELECT 1\0; DELETE FROM workflows`],
        ['a write to a protected table', `INSERT INTO schema_migrations VALUES (9, 'x', 'y', 'z')`]
      ])('%s is refused, and nothing changes', async (_what, sql) => {
        const dump = async () => [
          await query('SELECT * FROM workflows'),
          await query('SELECT * FROM schema_migrations'),
          ...(await Promise.all(catalog.map((each) => query(each))))
        ]
        const before = await dump()
        await expect(read(sql)).rejects.toMatchObject({
          code: expect.stringMatching(/^(NOT_ALLOWED|INVALID_INPUT)$/)
        })
        expect(await dump()).toEqual(before)
        expect((await read('SELECT count(*) AS n FROM workflows')).rows).toEqual([{ n: 1 }])
      })

      test('SQL that does not parse is bad input', async () => {
        await expect(read('SELEKT 1')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
        await expect(read('SELECT nothing FROM workflows')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
        await expect(read('  -- nothing\n')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      })

      test('a query without end is ended, and the store goes on', async () => {
        const endless =
          'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
        await expect(context.projectionStore.read({ sql: endless, timeoutMs: 100 })).rejects.toMatchObject({
          code: 'TIMEOUT'
        })
        expect((await read('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
        await upsert('workflows', workflowRow('w2'))
        expect((await read('SELECT count(*) AS n FROM workflows')).rows).toEqual([{ n: 2 }])
      })
    })
  })
}
