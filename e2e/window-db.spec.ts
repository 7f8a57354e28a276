import { test } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser } from './app.ts'

/** `window.db` in the built app, with the usage examples of its document pasted unchanged. */
test.describe('window.db', () => {
  const profile = freshProfile()
  test.afterAll(() => profile.remove())

  test('the document’s examples run unchanged', async ({ baseURL }) => {
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const seen = await page.evaluate(async () => {
      // Append an event
      const event = await window.db.appendEvent({
        aggregateId: 'workflow:my-workflow-123',
        eventType: 'WorkflowCreated',
        payload: {
          name: 'Data Processing Pipeline',
          description: 'Process user data from CSV'
        },
        metadata: {
          userId: 'john.doe',
          source: 'ui'
        }
      })
      console.log('Event appended:', event.seq)

      // Load events for a workflow
      const events = await window.db.loadEvents({
        aggregateId: 'workflow:my-workflow-123'
      })

      // Query workflows
      const workflows = await window.db.queryProjection({
        sql: 'SELECT * FROM workflows WHERE name LIKE ?',
        params: ['%Pipeline%']
      })

      // Upsert workflow runs
      await window.db.upsertProjection({
        table: 'runs',
        rows: [
          {
            id: 'run-123',
            workflow_version_id: 'wfv-456',
            trigger: 'manual',
            status: 'queued',
            created_at: new Date().toISOString()
          }
        ]
      })
      const runs = await window.db.queryProjection({ sql: 'SELECT * FROM runs' })
      return { event, events, workflows, runs }
    })
    expect(seen.event).toMatchObject({
      seq: 1,
      aggregateType: 'workflow',
      metadata: { userId: 'john.doe', source: 'ui' }
    })
    expect(seen.events).toEqual([seen.event])
    expect(seen.workflows).toEqual([
      expect.objectContaining({ name: 'Data Processing Pipeline', description: 'Process user data from CSV' })
    ])
    expect(seen.runs).toEqual([expect.objectContaining({ id: 'run-123', status: 'queued' })])
    await browser.close()
  })

  test('it is all there after the browser was closed, and the foreign run was left alone', async ({
    baseURL
  }) => {
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const seen = await page.evaluate(async () => ({
      events: await window.db.loadEvents({ aggregateId: 'workflow:my-workflow-123' }),
      runs: await window.db.queryProjection({ sql: 'SELECT id, status FROM runs' })
    }))
    expect(seen.events).toHaveLength(1)
    expect(seen.runs).toEqual([{ id: 'run-123', status: 'queued' }])
    await browser.close()
  })

  test('errors keep their code; a query that writes or never ends is refused and the worker goes on', async ({
    baseURL
  }) => {
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const seen = await page.evaluate(async () => {
      const failure = async (call: () => Promise<unknown>) => {
        try {
          await call()
          return { code: 'none' }
        } catch (error) {
          const { name, code, message } = error as { name: string; code: string; message: string }
          return { name, code, message, isError: error instanceof Error }
        }
      }
      const ask = (sql: string) => failure(() => window.db.queryProjection({ sql }))
      const before = await window.db.queryProjection({ sql: 'SELECT count(*) AS n FROM workflows' })
      return {
        before,
        conflict: await failure(() =>
          window.db.appendEvent({
            aggregateId: 'workflow:my-workflow-123',
            eventType: 'X',
            payload: {},
            expectedSeq: 0
          })
        ),
        invalid: await failure(() => window.db.loadEvents({} as { aggregateId: string })),
        cte: await ask(
          `WITH old AS (SELECT id FROM workflows) DELETE FROM workflows WHERE id IN (SELECT id FROM old)`
        ),
        second: await ask(`SELECT 1; DELETE FROM workflows`),
        comment: await ask(`/* SELECT */ DELETE FROM workflows -- SELECT`),
        pragma: await ask(`PRAGMA journal_mode = DELETE`),
        attach: await ask(`ATTACH 'other.db' AS other`),
        vacuum: await ask(`VACUUM`),
        protectedTable: await failure(() => window.db.truncateProjection({ table: 'events' })),
        endless: await ask(
          'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
        ),
        after: await window.db.queryProjection({ sql: 'SELECT count(*) AS n FROM workflows' })
      }
    })
    expect(seen.conflict).toMatchObject({ name: 'FlowForgeError', code: 'CONFLICT', isError: true })
    expect(seen.invalid).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('aggregateId')
    })
    for (const refused of [
      seen.cte,
      seen.second,
      seen.comment,
      seen.pragma,
      seen.attach,
      seen.vacuum,
      seen.protectedTable
    ]) {
      expect(refused).toMatchObject({ code: 'NOT_ALLOWED' })
    }
    expect(seen.endless).toMatchObject({ code: 'TIMEOUT' })
    expect(seen.after).toEqual(seen.before)
    await browser.close()
  })

  test('a subscription hands on what is stored and then what comes, each event once', async ({ baseURL }) => {
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const seen = await page.evaluate(async () => {
      const { db } = window
      const append = (aggregateId: string, count: number) =>
        db.appendEvents({
          events: Array.from({ length: count }, (_, index) => ({
            aggregateId,
            eventType: 'Heard',
            payload: { index }
          }))
        })
      await append('ear:1', 1_100)
      const heard: number[] = []
      const stop = db.subscribe({ afterPosition: 0, eventType: 'Heard' }, (event) =>
        heard.push(event.position)
      )
      const late: number[] = []
      const stopLate = await db.subscribe({
        aggregateType: 'ear',
        listener: async (event) => {
          await new Promise((resolve) => setTimeout(resolve, 1))
          late.push(event.payload['index'] as number)
        }
      })
      await db.queryProjection({ sql: 'SELECT 1' })
      await Promise.all(Array.from({ length: 20 }, (_, index) => append(`ear:${index}`, 5)))
      const until = Date.now() + 20_000
      while ((heard.length < 1_200 || late.length < 100) && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      stop()
      stopLate()
      await append('ear:1', 1)
      const stored = await db.readAll({ eventType: 'Heard', limit: 1_200 })
      let refused: unknown = null
      try {
        db.subscribe({ afterPosition: -1 }, () => undefined)
      } catch (thrown) {
        refused = Reflect.get(Object(thrown), 'code')
      }
      return { heard, stored: stored.map(({ position }) => position), late: late.length, refused }
    })
    expect(seen.heard).toEqual(seen.stored)
    expect(seen.late).toBe(100)
    expect(seen.refused).toBe('INVALID_INPUT')
    await browser.close()
  })
})
