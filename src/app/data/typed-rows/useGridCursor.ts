import { computed, shallowRef, type Ref } from 'vue'
import type { Block, TypedTable } from './typed-table.ts'

/** A place in the grid; row -1 is the header. */
export type Place = { readonly row: number; readonly column: number }

const HEADER_ROW = -1
const between = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value))

/** Where one stands in a grid, and the block of cells from where the selection began to there. */
export const useGridCursor = (table: Ref<TypedTable>) => {
  const wantedActive = shallowRef<Place>({ row: 0, column: 0 })
  const wantedAnchor = shallowRef<Place>({ row: 0, column: 0 })
  /** The table may have become smaller since. */
  const inside = ({ row, column }: Place): Place => ({
    row: between(row, HEADER_ROW, table.value.rows.length - 1),
    column: between(column, 0, table.value.columns.length - 1)
  })
  const active = computed(() => inside(wantedActive.value))
  const anchor = computed(() => inside(wantedAnchor.value))
  const block = computed((): Block => {
    const [a, b] = [active.value, anchor.value]
    return {
      top: Math.max(0, Math.min(a.row, b.row)),
      bottom: Math.max(0, a.row, b.row),
      left: Math.min(a.column, b.column),
      right: Math.max(a.column, b.column)
    }
  })
  const select = (place: Place, extend = false): void => {
    wantedActive.value = inside(place)
    if (!extend) wantedAnchor.value = wantedActive.value
  }
  return {
    active,
    block,
    isInHeader: computed(() => active.value.row === HEADER_ROW),
    select,
    selectBlock: ({ top, bottom, left, right }: Block): void => {
      wantedAnchor.value = inside({ row: bottom, column: right })
      wantedActive.value = inside({ row: top, column: left })
    }
  }
}
export type GridCursor = ReturnType<typeof useGridCursor>
