import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DbContext } from '../ports.ts'
import type { OpenContext } from './store-contract.ts'

/** What SQLite's adapter does over every storage, and no other engine could: its own limits, asked in its own words. */
export const describeSqliteLimits = (title: string, open: OpenContext): void => {
  describe(`${title}: SQLite's limits`, () => {
    let context: DbContext
    beforeEach(async () => {
      context = await open()
    })
    afterEach(async () => {
      await context.close()
    })
    const query = (sql: string) => context.projectionStore.query({ sql })
    const read = (sql: string) => context.projectionStore.read({ sql })

    test('statements are let go of when there are too many', async () => {
      for (let n = 0; n < 1_000; n += 1) await query(`SELECT ${n} AS n`)
      const [row] = await query('SELECT count(*) AS n FROM sqlite_stmt')
      expect(Number(row?.['n'])).toBeLessThan(300)
      expect(Number(row?.['n'])).toBeGreaterThan(0)
    })

    test('those of somebody who is not trusted are let go of, too', async () => {
      for (let n = 0; n < 1_000; n += 1) await read(`SELECT ${n} AS n`)
      const [row] = await query(`SELECT count(*) AS n FROM sqlite_stmt WHERE sql LIKE 'SELECT % AS n'`)
      expect(Number(row?.['n'])).toBeLessThan(100)
      expect(Number(row?.['n'])).toBeGreaterThan(0)
    })

    test('a kept one sees what has become of the schema, and is asked again what it may read', async () => {
      const sql = 'SELECT * FROM extra'
      await query('CREATE TABLE extra (a)')
      await query('INSERT INTO extra VALUES (1)')
      expect(await context.projectionStore.read({ sql })).toEqual({ rows: [{ a: 1 }], tables: ['extra'] })
      await query('DROP TABLE extra')
      await expect(read(sql)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      await query('CREATE TABLE extra (b)')
      expect((await read(sql)).rows).toEqual([])
      await query('INSERT INTO extra VALUES (2)')
      expect((await read(sql)).rows).toEqual([{ b: 2 }])
      await query('DROP TABLE extra')
      await query('CREATE VIEW extra AS SELECT count(*) AS runs FROM runs')
      const answer = await context.projectionStore.read({ sql })
      expect(answer.rows).toEqual([{ runs: 0 }])
      expect(answer.tables).toContain('runs')
      await query('DROP VIEW extra')
      await query('CREATE VIEW extra AS SELECT sql FROM sqlite_stmt')
      await expect(read(sql)).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
    })

    test.each([
      'SELECT length(hex(zeroblob(300000000)))',
      `SELECT length(printf('%*c', 1000000000, 'x'))`,
      `SELECT length(replace(hex(zeroblob(10000000)), '0', '12345678'))`
    ])('%s makes no value that outlasts the deadline', async (sql) => {
      const begun = performance.now()
      await expect(read(sql)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      expect(performance.now() - begun).toBeLessThan(5_000)
      expect(await query('SELECT length(zeroblob(100000000)) AS n')).toEqual([{ n: 100_000_000 }])
    })
  })
}

/** The same of its transactions, where a function can be handed to the adapter. */
export const describeSqliteFullDisk = (title: string, open: OpenContext): void => {
  describe(`${title}: transactions`, () => {
    let context: DbContext
    beforeEach(async () => {
      context = await open()
    })
    afterEach(async () => {
      await context.close()
    })
    const append = (on: DbContext, value: unknown) =>
      on.eventStore.append({ aggregateId: 'a:1', eventType: 'Counted', payload: { value } })
    const values = async () =>
      (await context.eventStore.load({ aggregateId: 'a:1' })).map((event) => event.payload['value'])

    describe('on a full disk', () => {
      const large = 'x'.repeat(400_000)
      beforeEach(async () => {
        const [row] = await context.projectionStore.query({ sql: 'PRAGMA page_count' })
        await context.projectionStore.query({
          sql: `PRAGMA max_page_count = ${Number(row?.['page_count']) + 20}`
        })
      })

      test('a transaction is all or nothing, although its function catches the failure', async () => {
        const failures: unknown[] = []
        const attempt = context.tx.runInTransaction(async (tx) => {
          await append(tx, 1)
          await append(tx, large).catch((failure: unknown) => failures.push(failure))
          await append(tx, 3)
        })
        await expect(attempt).rejects.toMatchObject({ code: 'STORAGE_FULL' })
        expect(failures).toEqual([expect.objectContaining({ code: 'STORAGE_FULL' })])
        expect(await values()).toEqual([])
        await append(context, 4)
        expect(await values()).toEqual([4])
      })

      test('a transaction that is over before it sees the failure is not committed either', async () => {
        const attempt = context.tx.runInTransaction(async (tx) => {
          await append(tx, 1)
          await tx.tx.runInTransaction((inner) => append(inner, large)).catch(() => undefined)
        })
        await expect(attempt).rejects.toMatchObject({ code: 'STORAGE_FULL' })
        expect(await values()).toEqual([])
      })

      test('of those who wait together, only who is too large fails', async () => {
        const answers = await Promise.allSettled([
          append(context, 1),
          append(context, large),
          append(context, 3)
        ])
        expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        expect(answers[1]).toMatchObject({ reason: { code: 'STORAGE_FULL' } })
        expect(await values()).toEqual([1, 3])
      })
    })
  })
}
