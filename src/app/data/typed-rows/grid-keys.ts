import type { Place } from './useGridCursor.ts'

export type GridSize = { readonly rows: number; readonly columns: number; readonly page: number }

/** Where a key leads from a place; undefined for a key that leads nowhere. The header is row -1. */
export const placeAfterKey = (
  { key, ctrlKey, metaKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey'>,
  { row, column }: Place,
  { rows, columns, page }: GridSize
): Place | undefined => {
  const far = ctrlKey || metaKey
  switch (key) {
    case 'ArrowDown':
      return { row: far ? rows - 1 : row + 1, column }
    case 'ArrowUp':
      return { row: far ? 0 : row - 1, column }
    case 'ArrowRight':
      return { row, column: far ? columns - 1 : column + 1 }
    case 'ArrowLeft':
      return { row, column: far ? 0 : column - 1 }
    case 'PageDown':
      return { row: row + page, column }
    case 'PageUp':
      return { row: Math.max(0, row - page), column }
    case 'Home':
      return { row: far ? 0 : row, column: 0 }
    case 'End':
      return { row: far ? rows - 1 : row, column: columns - 1 }
    default:
      return undefined
  }
}

/** The cell that Tab leads to, in the order of reading; undefined where it leads out of the grid. */
export const placeAfterTab = (
  { row, column }: Place,
  { rows, columns }: Pick<GridSize, 'rows' | 'columns'>,
  by: 1 | -1
): Place | undefined => {
  const at = Math.max(0, row) * columns + column + by
  return at < 0 || at >= rows * columns ? undefined : { row: Math.floor(at / columns), column: at % columns }
}

/** A key that writes a character, and not one of a shortcut. */
export const isTyping = ({
  key,
  ctrlKey,
  metaKey,
  altKey
}: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): boolean =>
  [...key].length === 1 && !metaKey && ctrlKey === altKey
