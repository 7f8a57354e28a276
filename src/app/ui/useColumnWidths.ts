import { computed, ref, watch, type Ref } from 'vue'
import type { Page, Row } from '../../worker/api.ts'
import { formatCell } from './format-cell.ts'

export type GridColumn = Page['columns'][number]

const NARROWEST = 56
const WIDEST_AT_FIRST = 340
/** Of a tabular digit at 13 px in the widest of the usual system faces. */
const CHARACTER = 8.4
const PADDING = 18
/** The mark of the type beside a column's name. */
const TYPE_MARK = 26

const fitting = (column: GridColumn, sample: readonly Row[]): number => {
  const longest = Math.max(0, ...sample.map((row) => formatCell(row[column.name], column.type).text.length))
  const header = column.name.length * CHARACTER + TYPE_MARK
  return Math.round(
    Math.max(NARROWEST, Math.min(WIDEST_AT_FIRST, Math.max(header, longest * CHARACTER) + PADDING))
  )
}

/** Widths of a grid's columns: fitted to the first rows seen, then as the person drags them. */
export const useColumnWidths = (columns: Ref<readonly GridColumn[]>, sample: () => readonly Row[]) => {
  const chosen = ref(new Map<string, number>())
  const fitted = ref(new Map<string, number>())
  let fittedToRows = false

  watch(
    () => [columns.value, sample()] as const,
    ([now, rows]) => {
      const known = new Set(now.map(({ name }) => name))
      const isSameTable = now.every(({ name }) => fitted.value.has(name)) && known.size === fitted.value.size
      // Fitted once to real rows, widths stay: a grid must not breathe while it is scrolled.
      if (isSameTable && fittedToRows) return
      fittedToRows = rows.length > 0
      fitted.value = new Map(now.map((column) => [column.name, fitting(column, rows)]))
    },
    { immediate: true }
  )
  const widths = computed(() =>
    columns.value.map(({ name }) => chosen.value.get(name) ?? fitted.value.get(name) ?? 120)
  )
  const lefts = computed(() => {
    let left = 0
    return widths.value.map((width) => {
      const at = left
      left += width
      return at
    })
  })
  const setWidth = (name: string, width: number): void => {
    chosen.value.set(name, Math.max(NARROWEST, Math.round(width)))
  }
  const fit = (column: GridColumn, rows: readonly Row[]): void => setWidth(column.name, fitting(column, rows))
  return {
    widths,
    lefts,
    setWidth,
    fit,
    total: computed(() => widths.value.reduce((sum, width) => sum + width, 0))
  }
}
