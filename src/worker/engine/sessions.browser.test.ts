import { afterEach, describe, expect, test } from 'vitest'
import type { DuckDBInstance } from './duckdb-instance.ts'
import { createSessions, type Sessions } from './sessions.ts'

let sessions: Sessions = createSessions()
afterEach(async () => {
  await sessions.close()
  sessions = createSessions()
})

describe('work on the engine', () => {
  test('cannot reach files, load extensions or change the settings', async () => {
    await sessions.work({}, async ({ session }) => {
      await expect(session.rows(`FROM read_csv('https://localhost/x.csv')`)).rejects.toThrow()
      await expect(session.rows(`FROM read_csv('/etc/passwd')`)).rejects.toThrow()
      await expect(session.run(`COPY (SELECT 1) TO 'x.csv'`)).rejects.toThrow()
      await expect(session.run('LOAD json')).rejects.toThrow()
      await expect(session.run('SET enable_external_access = true')).rejects.toThrow()
      expect(await session.rows('SELECT 1 AS one')).toEqual([{ one: 1 }])
    })
  })

  test('leaves nothing to the next', async () => {
    await sessions.work({}, async ({ session }) => {
      await session.run('CREATE TEMP TABLE mine AS SELECT 1 AS a')
      await session.run('SET VARIABLE x = 5')
    })
    await sessions.work({}, async ({ session }) => {
      await expect(session.rows('FROM mine')).rejects.toThrow()
      expect(await session.rows(`SELECT getvariable('x') AS x`)).toEqual([{ x: null }])
    })
  })

  test('gives memory back by a new worker once it has grown large', async () => {
    const seen: DuckDBInstance[] = []
    const note = (sql: string) =>
      sessions.work({}, async ({ session, instance }) => {
        seen.push(instance)
        await session.run(sql)
        return instance.memoryBytes()
      })
    expect(await note('SELECT 1')).toBeGreaterThan(1_000_000)
    const grown = await note(
      'CREATE TEMP TABLE big AS SELECT range AS a, hash(range) AS b, hash(range + 1) AS c FROM range(60000000)'
    )
    expect(grown).toBeGreaterThan(1_000_000_000)
    expect(await note('SELECT 1')).toBeLessThan(500_000_000)
    expect([seen[0] === seen[1], seen[1] === seen[2]]).toEqual([true, false])
  })

  test('with another budget gets another engine, and the old one ends with what is under way', async () => {
    const seen = async (memoryBudget?: number) =>
      sessions.work({ memoryBudget }, async ({ session, instance }) => {
        const [row] = await session.rows(`SELECT current_setting('memory_limit') AS "limit"`)
        return { limit: row?.['limit'], instance }
      })
    const usual = await seen()
    expect(usual.limit).toBe('1.8 GiB')
    await sessions.work({}, async ({ session }) => {
      const small = await seen(512_000_000)
      expect(small.limit).toBe('488.2 MiB')
      // What began before goes on.
      expect(await session.rows('SELECT 1 AS one')).toEqual([{ one: 1 }])
      expect((await seen()).instance).toBe(small.instance)
    })
    await expect(usual.instance.lost).rejects.toMatchObject({ code: 'WORKER_LOST' })
  })

  test('whose engine is gone is told and fails, and the next gets a new one', async () => {
    const lost = sessions.work({}, async ({ instance, signal }) => {
      const told = new Promise((resolve) => signal.addEventListener('abort', resolve))
      // It ends the worker, and nothing else of ours knows.
      await instance.db.terminate()
      await told
    })
    await expect(lost).rejects.toMatchObject({ code: 'WORKER_LOST' })
    expect(await sessions.work({}, ({ session }) => session.rows('SELECT 1 AS one'))).toEqual([{ one: 1 }])
  })
})
