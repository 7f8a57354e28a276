import type { ManualCell } from '../../../workflow/manual/manual-rows.ts'
import { readClipboard, writeClipboard } from './clipboard-table.ts'
import {
  cellsOf,
  fillBlock,
  insertColumn,
  insertRows,
  moveRows,
  putCells,
  removeRows,
  tooLarge
} from './typed-table.ts'
import type { GridCursor } from './useGridCursor.ts'
import type { TypedTableEdits } from './useTypedTable.ts'

/** What keys and buttons do with the cells and rows that are selected. `refuse` is told what cannot be done. */
export const useGridActions = (
  { table, edit }: TypedTableEdits,
  { active, block, isInHeader, select, selectBlock }: GridCursor,
  refuse: (message: string) => void
) => {
  /** NULL, or the empty text. */
  const clear = (cell: ManualCell): void => {
    if (!isInHeader.value) edit(fillBlock(table.value, block.value, cell))
  }
  const lastColumn = (): number => table.value.columns.length - 1

  /** Puts cells in where one stands; a single one fills all that is selected. */
  const paste = (text: string): void => {
    const cells = readClipboard(text)
    const { top, left } = block.value
    const problem = tooLarge({ row: top, column: left }, cells)
    if (problem !== null) return refuse(problem)
    const width = Math.max(0, ...cells.map((row) => row.length))
    if (width === 0) return
    if (width === 1 && cells.length === 1) {
      const [[only = null] = []] = cells
      edit(fillBlock(table.value, block.value, only))
    } else {
      edit(putCells(table.value, { row: top, column: left }, cells))
      selectBlock({ top, left, right: left + width - 1, bottom: top + cells.length - 1 })
    }
  }

  const moveBlock = (by: 1 | -1): void => {
    const next = moveRows(table.value, block.value, by)
    if (next === table.value || isInHeader.value) return
    const { top, bottom, left, right } = block.value
    edit(next)
    selectBlock({ top: top + by, bottom: bottom + by, left, right })
  }

  const addRow = (): void => {
    const at = table.value.rows.length === 0 ? 0 : block.value.bottom + 1
    const problem = tooLarge({ row: table.value.rows.length, column: 0 }, [[null]])
    if (problem !== null) return refuse(problem)
    edit(insertRows(table.value, at))
    select({ row: at, column: active.value.column })
  }

  const addColumn = (): void => {
    const at = lastColumn() + 1
    const problem = tooLarge({ row: 0, column: at }, [[null]])
    if (problem !== null) return refuse(problem)
    edit(insertColumn(table.value, at))
    select({ row: Math.max(0, active.value.row), column: at })
  }

  return {
    clear,
    paste,
    moveBlock,
    addRow,
    addColumn,
    copy: (): string => writeClipboard(cellsOf(table.value, block.value)),
    removeRows: (): void => {
      if (isInHeader.value || table.value.rows.length === 0) return
      const { top, left } = block.value
      edit(removeRows(table.value, block.value))
      select({ row: top, column: left })
    },
    selectAll: (): void =>
      selectBlock({ top: 0, left: 0, bottom: table.value.rows.length - 1, right: lastColumn() }),
    selectRow: (row: number, extend: boolean): void => {
      if (!extend) select({ row, column: lastColumn() })
      select({ row, column: 0 }, true)
    }
  }
}
export type GridActions = ReturnType<typeof useGridActions>
