import { AxeBuilder } from '@axe-core/playwright'
import { test } from '@playwright/test'
import { expect, foreign, freshProfile, openApp, openBrowser } from './app.ts'

test.describe('replicas', () => {
  test('answer heavy reads with what was just written, in every tab, and are built anew', async ({
    baseURL
  }) => {
    const profile = freshProfile()
    const { browser, requests } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const answers = await page.evaluate(async () => {
      const { appendEvents, queryProjection, upsertProjection } = window.db
      const states = async () => (await window.flowforge.status()).replicas.map(({ state }) => state)
      const before = await states()
      const asked = []
      for (const replica of ['plain', 'analytics'] as const) {
        const events = Array.from({ length: 2_000 }, (_, n) => ({
          aggregateId: `${replica}:${n % 10}`,
          eventType: 'Counted',
          payload: { n }
        }))
        const last = (await appendEvents({ events })).at(-1)
        await upsertProjection({
          table: 'workflows',
          rows: [{ id: replica, name: replica, created_at: '2026-01-01T00:00:00.000Z' }]
        })
        const sql = `SELECT count(*) AS n, max(position) AS last, (SELECT count(*) FROM workflows WHERE id = ?) AS direct FROM events`
        const [row] = await queryProjection({ sql, params: [replica], replica })
        const refused = await queryProjection({ sql: 'DELETE FROM workflows', replica }).then(
          () => 'done',
          (error: { code?: string }) => error.code
        )
        const [views] = await queryProjection({
          sql: `SELECT (SELECT max(position) FROM log_index) AS last, (SELECT count(*) FROM workflow_activity) AS workflows`,
          replica
        })
        const isInView = views?.['last'] === last?.position && Number(views?.['workflows']) === 0
        const { isSame } = await window.flowforge.replicas.check({ replica })
        const isLast = row?.['last'] === last?.position
        asked.push({ direct: row?.['direct'], isLast, isInView, refused, isSame })
      }
      const engine = await queryProjection({ sql: 'SELECT version() AS engine', replica: 'analytics' })
      const rows = await queryProjection({
        sql: 'SELECT range AS n, CAST(range AS VARCHAR) AS text FROM range(100000)',
        replica: 'analytics'
      })
      return { before, asked, after: await states(), engine, length: rows.length, last: rows.at(-1) }
    })
    expect(answers.before).toEqual(['off', 'off'])
    expect(answers.asked).toEqual([
      { isLast: true, isInView: true, isSame: true, refused: 'NOT_ALLOWED', direct: 1 },
      {
        isLast: true,
        isInView: true,
        isSame: true,
        refused: expect.stringMatching(/NOT_ALLOWED|INVALID_INPUT/),
        direct: 1
      }
    ])
    expect(answers.after).toEqual(['following', 'following'])
    expect(answers.engine).toEqual([{ engine: expect.stringMatching(/^v1\./) }])
    expect(answers).toMatchObject({ length: 100_000, last: { n: 99_999, text: '99999' } })

    const other = await openApp(browser, String(baseURL), await browser.newPage())
    const seen = await other.evaluate(async () => {
      const { role } = await window.flowforge.status()
      const written = await window.db.appendEvent({ aggregateId: 'tab:1', eventType: 'Counted', payload: {} })
      const [row] = await window.db.queryProjection({
        sql: 'SELECT max(position) AS last FROM events',
        replica: 'plain',
        minPosition: written.position
      })
      return { role, isLast: row?.['last'] === written.position }
    })
    expect(seen).toEqual({ role: 'follower', isLast: true })

    await page.getByRole('link', { name: 'Settings' }).click()
    const list = page.getByRole('list', { name: 'Replicas' })
    await expect(list.getByRole('listitem').filter({ hasText: 'Analytics' })).toContainText(
      /up to date|behind/
    )
    await list.getByRole('button', { name: 'Rebuild Plain reads' }).click()
    await expect(list.getByRole('listitem').filter({ hasText: 'Plain reads' })).toContainText('up to date')
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations).toEqual([])
    expect(foreign(requests, new URL(String(baseURL)).origin)).toEqual([])
    await browser.close()
    profile.remove()
  })
})
