import { describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, shallowRef } from 'vue'
import { PAGE_ROWS, usePagedRows, type LoadPage } from './usePagedRows.ts'

const TOTAL = 1_000_000
const page = (offset: number, limit: number) => ({
  rows: Array.from({ length: limit }, (_, at) => ({ n: offset + at })),
  total: TOTAL
})

/** A table whose pages arrive when the test says so. */
const createTable = () => {
  const asked: { offset: number; answer: () => void; fail: (error: Error) => void }[] = []
  const load: LoadPage = (offset, limit) =>
    new Promise((resolve, reject) => {
      asked.push({ offset, answer: () => resolve(page(offset, limit)), fail: reject })
    })
  return { asked, load }
}
const use = (load: LoadPage | undefined) => {
  const loadPage = shallowRef(load)
  const scope = effectScope()
  const rows = scope.run(() => usePagedRows(loadPage))
  if (rows === undefined) throw new Error('the scope was over')
  return { rows, loadPage, stop: () => scope.stop() }
}

describe('rows that come in pages', () => {
  it('are there once their page has arrived, and not before', async () => {
    const { asked, load } = createTable()
    const { rows } = use(load)
    rows.want(0, 30)
    expect(rows.rowAt(7)).toBeUndefined()
    asked[0]?.answer()
    await vi.waitFor(() => expect(rows.rowAt(7)).toEqual({ n: 7 }))
    expect(rows.total.value).toBe(TOTAL)
  })

  it('are asked for once, however often they are wanted', () => {
    const { asked, load } = createTable()
    const { rows } = use(load)
    rows.want(0, 30)
    rows.want(5, 35)
    expect(asked.map(({ offset }) => offset)).toEqual([0])
  })

  it('that were passed on the way are not asked for', async () => {
    const { asked, load } = createTable()
    const { rows } = use(load)
    for (let at = 0; at < 100; at += 1) rows.want(at * PAGE_ROWS, at * PAGE_ROWS + 30)
    expect(asked).toHaveLength(2)
    asked[0]?.answer()
    await vi.waitFor(() => expect(asked).toHaveLength(3))
    expect(asked[2]?.offset).toBe(99 * PAGE_ROWS)
  })

  it('far from view are forgotten', async () => {
    const { rows } = use((offset, limit) => Promise.resolve(page(offset, limit)))
    for (let at = 0; at < 60; at += 1) {
      rows.want(at * PAGE_ROWS, at * PAGE_ROWS + 1)
      await vi.waitFor(() => expect(rows.rowAt(at * PAGE_ROWS)).toEqual({ n: at * PAGE_ROWS }), {
        interval: 1
      })
    }
    expect(rows.rowAt(0)).toBeUndefined()
    expect(rows.rowAt(59 * PAGE_ROWS)).toEqual({ n: 59 * PAGE_ROWS })
  })

  it('of the table before never appear in the table after', async () => {
    const before = createTable()
    const { rows, loadPage } = use(before.load)
    rows.want(0, 30)
    loadPage.value = () => Promise.resolve({ rows: [{ n: 'new' }], total: 1 })
    await nextTick()
    before.asked[0]?.answer()
    await vi.waitFor(() => expect(rows.rowAt(0)).toEqual({ n: 'new' }))
    await nextTick()
    expect(rows.rowAt(0)).toEqual({ n: 'new' })
    expect(rows.total.value).toBe(1)
  })

  it('that cannot be read say why, and can be asked for again', async () => {
    const { asked, load } = createTable()
    const { rows } = use(load)
    rows.want(0, 30)
    asked[0]?.fail(new Error('the file has gone'))
    await vi.waitFor(() => expect(rows.error.value).toEqual(new Error('the file has gone')))
    rows.want(0, 30)
    expect(asked).toHaveLength(1)
    rows.retry()
    expect(rows.error.value).toBeNull()
    expect(asked).toHaveLength(2)
  })
})
