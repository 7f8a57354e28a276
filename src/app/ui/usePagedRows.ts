import { shallowRef, triggerRef, watch, type Ref } from 'vue'
import type { Row } from '../../worker/api.ts'

export type LoadPage = (
  offset: number,
  limit: number
) => Promise<{ readonly rows: readonly Row[]; readonly total: number }>

export const PAGE_ROWS = 200
const KEPT_PAGES = 40
const AT_ONCE = 2

/**
 * Rows that are fetched as they come into view, and forgotten again: at most `KEPT_PAGES` pages stay in memory. Pages
 * that were passed on the way are not fetched: only what is wanted when a fetch ends is asked for next.
 */
export const usePagedRows = (loadPage: Ref<LoadPage | undefined>) => {
  const pages = shallowRef(new Map<number, readonly Row[]>())
  const error = shallowRef<unknown>(null)
  const total = shallowRef<number | null>(null)
  const loading = new Set<number>()
  let wanted: readonly number[] = []
  let generation = 0

  const fetchNext = (): void => {
    const load = loadPage.value
    if (load === undefined || error.value !== null) return
    for (const page of wanted) {
      if (loading.size >= AT_ONCE) return
      if (pages.value.has(page) || loading.has(page)) continue
      void fetchPage(load, page, generation)
    }
  }

  const fetchPage = async (load: LoadPage, page: number, asked: number): Promise<void> => {
    loading.add(page)
    try {
      const answer = await load(page * PAGE_ROWS, PAGE_ROWS)
      if (asked !== generation) return
      pages.value.set(page, answer.rows)
      total.value = answer.total
      forgetFarPages(page)
      triggerRef(pages)
    } catch (thrown) {
      if (asked === generation) error.value = thrown
    } finally {
      if (asked === generation) {
        loading.delete(page)
        fetchNext()
      }
    }
  }

  const forgetFarPages = (near: number): void => {
    const byDistance = [...pages.value.keys()].toSorted((a, b) => Math.abs(b - near) - Math.abs(a - near))
    for (const page of byDistance.slice(0, Math.max(0, pages.value.size - KEPT_PAGES))) {
      pages.value.delete(page)
    }
  }

  const reset = (): void => {
    generation += 1
    loading.clear()
    pages.value = new Map()
    error.value = null
    total.value = null
    fetchNext()
  }
  watch(loadPage, reset)

  return {
    error,
    /** As the last page said. */
    total,
    rowAt: (index: number): Row | undefined =>
      pages.value.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS],
    /** Says which rows are in view; `end` not included. */
    want: (start: number, end: number): void => {
      const first = Math.floor(start / PAGE_ROWS)
      const last = Math.floor(Math.max(start, end - 1) / PAGE_ROWS)
      wanted = Array.from({ length: last - first + 1 }, (_, at) => first + at)
      fetchNext()
    },
    retry: reset
  }
}
