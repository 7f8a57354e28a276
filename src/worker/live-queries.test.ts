import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { followQuery, type LiveAnswer } from './live-queries.ts'
import { systemWorld } from './world.ts'

const SOON_MS = 5_000
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const QUERY = { sql: 'SELECT count(*) AS count FROM events' }

describe('a query that is followed', () => {
  let context: DbContext
  let stop: () => void = () => undefined

  beforeEach(async () => {
    context = await openDbContext({ storage: 'memory', ...systemWorld })
  })
  afterEach(async () => {
    stop()
    await context.close()
  })

  const append = (): Promise<unknown> =>
    context.eventStore.append({ aggregateId: 'note:1', eventType: 'Noted', payload: {} })

  /** Follows the count of events; answers with a function that waits for one. */
  const follow = (listen: () => unknown = () => undefined, restMs?: number) => {
    const counts: number[] = []
    const hear = (answer: LiveAnswer): unknown => {
      if ('rows' in answer) counts.push(Number(answer.rows[0]?.['count']))
      return listen()
    }
    stop = followQuery(context, QUERY, hear, restMs)
    const until = (count: number): Promise<void> =>
      expect.poll(() => counts.at(-1), { timeout: SOON_MS, interval: 1 }).toBe(count)
    return { counts, until }
  }

  test('is asked once for many commits in a frame, and always for the last', async () => {
    const { counts, until } = follow()
    await until(0)
    for (let number = 0; number < 50; number += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a commit each
      await append()
    }
    await until(50)
    expect(counts.length).toBeLessThan(50)
  })

  test('rests as long as it was told to, and is asked for the last change then', async () => {
    const { counts, until } = follow(undefined, 600)
    await until(0)
    for (let number = 0; number < 5; number += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each in a frame of its own
      await append()
      // oxlint-disable-next-line no-await-in-loop -- see above
      await pause(40)
    }
    await until(5)
    expect(counts).toEqual([0, 5])
  })

  test('is asked at once after a pause', async () => {
    const { counts, until } = follow()
    await until(0)
    let early = 0
    for (let number = 1; number <= 9; number += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await pause(40)
      const frame = pause(16)
      // oxlint-disable-next-line no-await-in-loop -- see above
      await append()
      // oxlint-disable-next-line no-await-in-loop -- see above
      await frame
      if (counts.at(-1) === number) early += 1
      // oxlint-disable-next-line no-await-in-loop -- see above
      await until(number)
    }
    // Where each change waited for a frame of its own, none would be there before one is over.
    expect(early).toBeGreaterThan(0)
  })

  test('is not asked again before its listener is done', async () => {
    let underWay = 0
    let most = 0
    const { until } = follow(async () => {
      underWay += 1
      most = Math.max(most, underWay)
      await pause(30)
      underWay -= 1
    })
    await until(0)
    for (let number = 0; number < 5; number += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a commit each
      await append()
      // oxlint-disable-next-line no-await-in-loop -- see above
      await pause(10)
    }
    await until(5)
    expect(most).toBe(1)
  })

  test('one that failed is asked again whatever is written: what it reads may be another by then', async () => {
    const run = (sql: string): Promise<unknown> => context.projectionStore.query({ sql })
    const noteTag = (id: string): Promise<unknown> =>
      run(`INSERT INTO idempotency_keys (key, scope, first_seen_at) VALUES ('${id}', 'test', 'now')`)
    await run('CREATE VIEW counted AS SELECT count(*) AS count FROM idempotency_keys')
    const answers: LiveAnswer[] = []
    stop = followQuery(context, { sql: 'SELECT count FROM counted' }, (answer) => answers.push(answer))
    const last = (): unknown => answers.at(-1)
    await expect.poll(last, { timeout: SOON_MS, interval: 1 }).toEqual({ rows: [{ count: 0 }] })
    await run('DROP VIEW counted')
    await noteTag('one')
    await expect.poll(last, { timeout: SOON_MS, interval: 1 }).toHaveProperty('error')
    await run('CREATE VIEW counted AS SELECT count(*) AS count FROM events')
    await append()
    await expect.poll(last, { timeout: SOON_MS, interval: 1 }).toEqual({ rows: [{ count: 1 }] })
  })

  test('a listener that fails is told of what comes next, and its failure is no loose end', async () => {
    const complaints = vi.spyOn(console, 'error').mockReturnValue()
    const { until } = follow(() => Promise.reject(new Error('A listener that fails')))
    await until(0)
    await append()
    await until(1)
    expect(complaints).toHaveBeenCalled()
    complaints.mockRestore()
  })
})
