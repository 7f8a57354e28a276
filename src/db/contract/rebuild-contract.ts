import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DbContext, RowChange } from '../ports.ts'
import { workflowRow, type OpenContext } from './store-contract.ts'

/** Changes of a table without references, so that one by one none is refused but for columns that must be there. */
const id = fc.constantFrom('a', 'b', 'c')
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.constantFrom(null, '\u0000', '\ud800', '"', '\\ud800', true),
  fc.object({ maxDepth: 1, maxKeys: 1 })
)
const columns = fc.record(
  { workflow_version_id: fc.string(), started_at: value, finished_at: value },
  { requiredKeys: [] }
)
const whole = fc
  .record({ id, finished_at: value })
  .map((row) => ({ ...row, workflow_version_id: 'v', trigger: 'api', status: 'queued', created_at: 'now' }))
const change: fc.Arbitrary<RowChange> = fc.oneof(
  { weight: 3, arbitrary: whole.map((row): RowChange => ({ op: 'upsert', table: 'runs', rows: [row] })) },
  {
    weight: 3,
    arbitrary: fc
      .record({ id, set: columns })
      .map(({ id: key, set }): RowChange => ({ op: 'update', table: 'runs', where: { id: key }, set }))
  },
  {
    weight: 1,
    arbitrary: value.map((finished_at): RowChange => ({
      op: 'update',
      table: 'runs',
      where: { finished_at },
      set: { started_at: 'x' }
    }))
  },
  {
    weight: 1,
    arbitrary: value.map((finished_at): RowChange => ({
      op: 'remove',
      table: 'runs',
      where: { finished_at }
    }))
  },
  { weight: 2, arbitrary: id.map((key): RowChange => ({ op: 'remove', table: 'runs', where: { id: key } })) },
  { weight: 1, arbitrary: fc.constant<RowChange>({ op: 'truncate', table: 'runs' }) },
  {
    weight: 1,
    arbitrary: fc.bigInt({ min: 0n, max: 2n ** 60n }).map((rows): RowChange => ({
      op: 'upsert',
      table: 'artifacts',
      rows: [{ id: 'f', run_id: 'r', kind: 'file', rows, created_at: 'now' }]
    }))
  }
)

/** What every adapter's copies and pasts do. */
export const describeRebuilds = (title: string, open: OpenContext): void => {
  describe(`${title}: rebuilds`, () => {
    let context: DbContext
    beforeEach(async () => {
      context = await open()
    })
    afterEach(() => context.close())
    const rows = (table: string) =>
      context.projectionStore.query({ sql: `SELECT * FROM ${table} ORDER BY id` })

    test('copies hold what the changes leave one by one, and so do tables after a swap', async () => {
      const tables = ['runs', 'artifacts']
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 3 }), async (batches) => {
          const past = await context.openPast({ tables })
          await context.rebuilds.begin({ tables })
          for (const changes of batches) {
            await context.rebuilds.apply({ changes })
            for (const one of changes) await past.apply({ changes: [one] })
          }
          for (const table of tables) {
            const sql = `SELECT * FROM ${table} ORDER BY id`
            const copied = await context.projectionStore.query({
              sql: `SELECT * FROM ${table}__next ORDER BY id`
            })
            expect(copied).toEqual((await past.read({ sql })).rows)
          }
          await past.close()
          const copied = await context.projectionStore.query({ sql: 'SELECT * FROM runs__next ORDER BY id' })
          await context.rebuilds.swap({ tables: ['runs'] })
          expect(await rows('runs')).toEqual(copied)
          await context.rebuilds.abandon({ tables })
        }),
        { numRuns: 100 }
      )
    })

    test('the same changes leave the same rows in tables, copies and the past', async () => {
      const changes: RowChange[] = [
        { op: 'upsert', table: 'workflows', rows: [workflowRow('a'), workflowRow('b')] },
        { op: 'upsert', table: 'workflows', rows: [{ id: 'a', description: { deep: [1] } }] },
        { op: 'update', table: 'workflows', where: { id: 'b' }, set: { name: '\ud800', description: true } },
        { op: 'upsert', table: 'workflows', rows: [workflowRow('c'), workflowRow('d')] },
        { op: 'remove', table: 'workflows', where: { id: 'c' } },
        { op: 'remove', table: 'workflows', where: { name: 'd' } }
      ]
      await context.rebuilds.begin({ tables: ['workflows'] })
      await context.rebuilds.apply({ changes })
      await context.projectionStore.apply({ changes })
      const written = await rows('workflows')
      expect(written).toHaveLength(2)
      expect(await rows('workflows__next')).toEqual(written)
      const past = await context.openPast({ tables: ['workflows'] })
      await past.apply({ changes })
      expect((await past.read({ sql: 'SELECT * FROM workflows ORDER BY id' })).rows).toEqual(written)
      await past.close()
    })

    test('many changes in one call are made all or none', async () => {
      const changes: RowChange[] = [
        { op: 'upsert', table: 'workflows', rows: [workflowRow('a')] },
        { op: 'upsert', table: 'workflows', rows: [workflowRow('b', 'a')] }
      ]
      await expect(context.projectionStore.apply({ changes })).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await rows('workflows')).toEqual([])
    })

    test('copies are nothing to callers', async () => {
      await context.rebuilds.begin({ tables: ['workflows'] })
      const refused = { code: 'NOT_ALLOWED' }
      const { projectionStore } = context
      await expect(projectionStore.read({ sql: 'SELECT * FROM workflows__next' })).rejects.toMatchObject(
        refused
      )
      await expect(
        projectionStore.upsert({ table: 'workflows__next', rows: [workflowRow('a')] })
      ).rejects.toMatchObject(refused)
      await expect(projectionStore.truncate({ table: 'Workflows__NEXT' })).rejects.toMatchObject(refused)
    })

    test('whether there are copies of all tables is told, through swaps and abandoning', async () => {
      const { rebuilds } = context
      const tables = ['runs', 'artifacts']
      expect(await rebuilds.isBegun({ tables })).toBe(false)
      await rebuilds.begin({ tables: ['runs'] })
      expect(await rebuilds.isBegun({ tables })).toBe(false)
      await rebuilds.begin({ tables })
      expect(await rebuilds.isBegun({ tables })).toBe(true)
      await rebuilds.swap({ tables: ['artifacts'] })
      expect(await rebuilds.isBegun({ tables })).toBe(false)
      expect(await rebuilds.isBegun({ tables: ['runs'] })).toBe(true)
      await rebuilds.abandon({ tables })
      expect(await rebuilds.isBegun({ tables: ['runs'] })).toBe(false)
    })

    test('a swap whose rows do not fit changes nothing', async () => {
      await context.projectionStore.upsert({ table: 'workflows', rows: [workflowRow('old')] })
      await context.rebuilds.begin({ tables: ['workflows'] })
      const twins = [workflowRow('a', 'same'), workflowRow('b', 'same')]
      await context.rebuilds.apply({ changes: [{ op: 'upsert', table: 'workflows', rows: twins }] })
      await expect(context.rebuilds.swap({ tables: ['workflows'] })).rejects.toMatchObject({
        code: 'CONFLICT'
      })
      expect(await rows('workflows')).toEqual([expect.objectContaining({ id: 'old' })])
    })

    test('a row may take the place in a unique index that another one leaves', async () => {
      const [one, two] = [workflowRow('a', 'one'), workflowRow('b', 'two')]
      await context.projectionStore.upsert({ table: 'workflows', rows: [one, two] })
      await context.rebuilds.begin({ tables: ['workflows'] })
      const swapped = [workflowRow('a', 'two'), workflowRow('b', 'one')]
      await context.rebuilds.apply({ changes: [{ op: 'upsert', table: 'workflows', rows: swapped }] })
      await context.rebuilds.swap({ tables: ['workflows'] })
      expect(await rows('workflows')).toMatchObject(swapped)
    })
  })
}
