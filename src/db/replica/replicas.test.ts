import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { replicasInThread } from '../contract/replicas-in-node.ts'
import { testWorld, workflowRow } from '../contract/store-contract.ts'
import { fromReplicaPiece, type DbContext, type ReplicaKind, type ReplicaPort } from '../ports.ts'
import { openSqliteContext } from '../sqlite/sqlite-context.ts'
import type { ReplicaStore } from './replica-store.ts'

const TABLES = [
  'events',
  'archive_segments',
  'archived_streams',
  'archived_events',
  'snapshots',
  'workflows',
  'workflow_versions',
  'blobs',
  'schedules',
  'nodes'
]

describe.each<ReplicaKind>(['plain', 'analytics'])('the %s replica', (replica) => {
  let context: DbContext
  let replicas: ReplicaPort
  const stores: ReplicaStore[] = []
  const open = async (): Promise<void> => {
    const touch = (_kind: ReplicaKind, store: ReplicaStore) => {
      stores.push(store)
      return store
    }
    context = await openSqliteContext({
      storage: 'memory',
      ...testWorld(),
      replicas: replicasInThread(touch)
    })
    if (context.replicas === undefined) throw new Error('SQLite has replicas.')
    replicas = context.replicas
  }
  beforeEach(open)
  afterEach(async () => {
    await context.close()
    stores.length = 0
  })
  const ask = async (sql: string, params: unknown[] = [], more: object = {}) =>
    (await replicas.read({ replica, sql, params, ...more })).flatMap(fromReplicaPiece)
  const append = (on: DbContext, aggregateId: string, payload = {}) =>
    on.eventStore.append({ aggregateId, eventType: 'X', payload })
  const save = (on: DbContext, id: string, name = id) =>
    on.projectionStore.upsert({ table: 'workflows', rows: [workflowRow(id, name)] })
  const state = () => replicas.status().find((each) => each.replica === replica)?.state

  const expectEqual = async (): Promise<void> => {
    for (const table of TABLES) {
      const sql = `SELECT * FROM ${table} ORDER BY 1`
      expect(await ask(sql)).toEqual(await context.projectionStore.query({ sql }))
    }
    expect(await replicas.check({ replica })).toBe(true)
  }

  test('starts with the first question, with all that is there', async () => {
    expect(state()).toBe('off')
    await save(context, 'w1')
    await context.eventStore.appendMany(
      Array.from({ length: 700 }, (_, n) => ({
        aggregateId: `a:${n % 7}`,
        eventType: 'X',
        payload: { n, text: 'é\0😀"' }
      }))
    )
    await context.eventStore.saveSnapshot({ aggregateId: 'a:1', lastSeq: 1, state: {} })
    await context.blobStore.put({ key: 'small', data: Uint8Array.from({ length: 300 }, (_, n) => n % 256) })
    expect(await ask('SELECT count(*) AS n FROM events WHERE aggregate_id = ?', ['a:3'])).toEqual([
      { n: 100 }
    ])
    expect(state()).toBe('following')
    await expectEqual()
  })

  test('sees what is archived go and come back, while it follows and when it is built anew', async () => {
    await append(context, 'a:1')
    await ask('SELECT 1')
    for (const id of ['a:1', 'a:2', 'a:1']) await append(context, id)
    const [segment] = await context.archive.move({ aggregateIds: ['a:2'] })
    expect(await ask('SELECT count(*) AS n, max(position) AS p FROM events')).toEqual([{ n: 3, p: 4 }])
    expect(await ask('SELECT position, event_type FROM archived_events')).toEqual([
      { position: 3, event_type: 'X' }
    ])
    await expectEqual()
    await replicas.rebuild({ replica })
    await expectEqual()
    await context.archive.bringBack({ segmentId: segment?.id ?? 0 })
    expect(await ask('SELECT count(*) AS n FROM events')).toEqual([{ n: 4 }])
    await expectEqual()
  })

  test('sees what was written just before, a direct upsert too, and nothing that was rolled back', async () => {
    await ask('SELECT 1')
    for (let n = 0; n < 5; n += 1) {
      await save(context, `w${n}`)
      expect(await ask('SELECT count(*) AS n FROM workflows')).toEqual([{ n: n + 1 }])
      await append(context, 'a:1')
      expect(await ask('SELECT max(position) AS p FROM events')).toEqual([{ p: n + 1 }])
    }
    await context.tx
      .runInTransaction(async (tx) => {
        await save(tx, 'gone')
        throw new Error('no')
      })
      .catch(() => undefined)
    const changing = context.tx.runInTransaction(async (tx) => {
      await save(tx, 'w0', 'renamed')
      await append(tx, 'a:1')
      await new Promise((resolve) => setTimeout(resolve, 80))
      await tx.projectionStore.remove({ table: 'workflows', where: { id: 'w1' } })
    })
    const asked = ask('SELECT name FROM workflows ORDER BY id')
    await changing
    const names = (await asked).map((row) => row['name'])
    expect([
      ['w0', 'w1', 'w2', 'w3', 'w4'],
      ['renamed', 'w2', 'w3', 'w4']
    ]).toContainEqual(names)
    expect(await ask('SELECT count(*) AS n FROM workflows')).toEqual([{ n: 4 }])
    await expectEqual()
  })

  test('what is written while it is built is there, whatever it was', async () => {
    const step = fc.record({
      what: fc.constantFrom('save', 'rename', 'remove', 'append', 'swap', 'fail'),
      n: fc.integer({ min: 0, max: 400 })
    })
    const perform = (what: string, n: number): Promise<unknown> => {
      const { projectionStore } = context
      switch (what) {
        case 'save':
          return save(context, `w${n}`)
        case 'rename':
          return projectionStore.update({
            table: 'workflows',
            where: { id: `w${n}` },
            set: { name: `n${n}` }
          })
        case 'remove':
          return projectionStore.remove({ table: 'workflows', where: { id: `w${n}` } })
        case 'swap':
          return projectionStore.query({
            sql: 'UPDATE workflows SET description = id || ? WHERE rowid % 3 = 0',
            params: [n]
          })
        case 'fail':
          return context.tx
            .runInTransaction(async (tx) => {
              await append(tx, `a:${n}`)
              throw new Error('no')
            })
            .catch(() => undefined)
        default:
          return append(context, `a:${n}`, { n })
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        await context.close()
        await open()
        for (let n = 0; n < 400; n += 1) void save(context, `w${n}`)
        await context.eventStore.appendMany(
          Array.from({ length: 400 }, (_, n) => ({ aggregateId: `b:${n}`, eventType: 'X', payload: {} }))
        )
        const building = ask('SELECT 1 AS one')
        for (const { what, n } of steps) {
          await perform(what, n)
          await new Promise((resolve) => setTimeout(resolve))
        }
        await building
        await expectEqual()
      }),
      { numRuns: 4 }
    )
  })

  test('waits for the position that a question names, up to its limit', async () => {
    await append(context, 'a:1')
    const waiting = ask('SELECT count(*) AS n FROM events', [], { minPosition: 3 })
    await append(context, 'a:1')
    await append(context, 'a:1')
    expect(Number((await waiting)[0]?.['n'])).toBeGreaterThanOrEqual(3)
    await expect(ask('SELECT 1', [], { minPosition: 99, timeoutMs: 30 })).rejects.toMatchObject({
      code: 'TIMEOUT'
    })
  })

  test.each([`DELETE FROM workflows`, `CREATE TABLE t (a INTEGER)`, `SELECT 1; DELETE FROM events`])(
    'only reads: %s',
    async (sql) => {
      await save(context, 'w1')
      await expect(ask(sql)).rejects.toMatchObject({
        code: expect.stringMatching(/^(NOT_ALLOWED|INVALID_INPUT)$/)
      })
      expect(await ask('SELECT id FROM workflows')).toEqual([{ id: 'w1' }])
    }
  )

  test('one that has come apart is dropped and built anew, never wrong', async () => {
    const logged = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    await save(context, 'w1')
    await ask('SELECT 1')
    // A row that the database does not have: the next check finds it.
    const [table] = [{ id: 'x', name: 'x' }]
    stores
      .at(-1)
      ?.copy(
        'workflows',
        new TextEncoder().encode(JSON.stringify([[table?.id, table?.name, null, 'now', null]]))
      )
    expect(await replicas.check({ replica })).toBe(false)
    expect(state()).toBe('off')
    expect(await ask('SELECT id FROM workflows')).toEqual([{ id: 'w1' }])
    // The same row comes by the log: the change does not fit.
    stores
      .at(-1)
      ?.copy('workflows', new TextEncoder().encode(JSON.stringify([['w2', 'w2', null, 'now', null]])))
    await save(context, 'w2')
    expect(await ask('SELECT id FROM workflows ORDER BY id')).toEqual([{ id: 'w1' }, { id: 'w2' }])
    expect(await replicas.check({ replica })).toBe(true)
    logged.mockRestore()
  })

  test('tables that change make it anew', async () => {
    const logged = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    await ask('SELECT 1')
    await context.projectionStore.query({ sql: 'ALTER TABLE workflows ADD COLUMN note TEXT' })
    await context.projectionStore.upsert({ table: 'workflows', rows: [{ ...workflowRow('w1'), note: 'x' }] })
    expect(await ask('SELECT note FROM workflows')).toEqual([{ note: 'x' }])
    logged.mockRestore()
  })

  test('is built anew at will, and values come as they are', async () => {
    await save(context, 'w1')
    await ask('SELECT 1')
    const first = stores.length
    await replicas.rebuild({ replica })
    expect(stores).toHaveLength(first + 1)
    expect(await ask('SELECT ? AS big, ? AS small, ? AS none', [9_007_199_254_740_993n, 7, null])).toEqual([
      { big: 9_007_199_254_740_993n, small: 7, none: null }
    ])
    expect(replicas.status().find((each) => each.replica === replica)).toEqual({
      replica,
      state: 'following',
      behind: 0
    })
  })

  test('has the views, which say what those of the database say', async () => {
    const run = (id: string, status: string, minute: number) => ({
      id,
      workflow_id: 'w1',
      workflow_name: 'W',
      version: 1,
      trigger: 'manual',
      status,
      queued_at: `2026-01-01T00:0${minute}:00.000Z`,
      started_at: `2026-01-01T00:0${minute}:01.000Z`,
      finished_at: `2026-01-01T00:0${minute}:03.500Z`
    })
    const saveRuns = (rows: readonly object[]) =>
      context.projectionStore.upsert({ table: 'workflow_runs', rows: rows.map((row) => ({ ...row })) })
    await saveRuns([run('r1', 'succeeded', 1), run('r2', 'succeeded', 2)])
    for (const aggregateId of ['a:1', 'a:2', 'a:1']) await append(context, aggregateId)
    await context.archive.move({ aggregateIds: ['a:2'] })
    const expectSameViews = async (): Promise<void> => {
      for (const sql of [
        'SELECT * FROM workflow_activity ORDER BY workflow_id',
        'SELECT * FROM log_index ORDER BY position'
      ]) {
        const expected = await context.projectionStore.query({ sql })
        expect(expected.length).toBeGreaterThan(0)
        expect(await ask(sql)).toEqual(expected)
      }
    }
    await expectSameViews()
    await saveRuns([run('r3', 'failed', 3), run('r4', 'succeeded', 4)])
    await append(context, 'a:3')
    await expectSameViews()
    // Of runs that were queued at the same time, the one that came last is the last.
    for (const ids of [['x3', 'x1', 'x2'], ['x9', 'x7', 'x8', 'x5', 'x4'], ['x6']]) {
      await saveRuns(ids.map((id) => run(id, 'succeeded', 5)))
      await expectSameViews()
    }
    await replicas.rebuild({ replica })
    await expectSameViews()
    expect(await replicas.check({ replica })).toBe(true)
  })

  test('rows of a table whose order a view reads are in it, whenever they came', async () => {
    const runs = (from: number, count: number) =>
      context.projectionStore.upsert({
        table: 'workflow_runs',
        rows: Array.from({ length: count }, (_, n) => ({
          // No order of ids is that in which they came.
          id: `run:${((from + n) * 7919) % 10_007}`,
          workflow_id: `w${n % 3}`,
          workflow_name: 'W',
          version: 1,
          trigger: 'manual',
          status: 'queued',
          queued_at: '2026-01-01T00:00:00.000Z'
        }))
      })
    const expectSameOrder = async (): Promise<void> => {
      for (const sql of [
        'SELECT id FROM workflow_runs ORDER BY rowid',
        'SELECT workflow_id, last_run_id FROM workflow_activity ORDER BY workflow_id'
      ]) {
        expect(await ask(sql)).toEqual(await context.projectionStore.query({ sql }))
      }
    }
    await runs(0, 700)
    const building = ask('SELECT 1')
    for (let n = 0; n < 30; n += 1) {
      await runs(700 + n * 3, 3)
      await new Promise((resolve) => setTimeout(resolve))
    }
    await building
    await expectSameOrder()
    for (let n = 0; n < 5; n += 1) {
      await Promise.all([runs(800 + n * 20, 7), runs(810 + n * 20, 7)])
      await expectSameOrder()
    }
    await context.projectionStore.query({
      sql: 'DELETE FROM workflow_runs WHERE rowid > (SELECT max(rowid) - 4 FROM workflow_runs)'
    })
    await ask('SELECT 1')
    await runs(2_000, 9)
    await expectSameOrder()
  })

  test('a view that its engine does not understand is told, with what to do; all else answers', async () => {
    await save(context, 'w1')
    await context.projectionStore.query({
      sql: `CREATE VIEW only_here AS SELECT id, length(zeroblob(3)) AS number FROM workflows`
    })
    const asked = ask('SELECT number FROM only_here')
    if (replica === 'plain') expect(await asked).toEqual([{ number: 3 }])
    else {
      await expect(asked).rejects.toMatchObject({
        code: 'NOT_ALLOWED',
        message: expect.stringContaining('no view "only_here"')
      })
    }
    expect(await ask('SELECT id FROM workflows')).toEqual([{ id: 'w1' }])
    expect(await ask('SELECT count(*) AS n FROM workflow_activity')).toEqual([{ n: 0 }])
  })
})
