import {
  cellProblem,
  MANUAL_LIMITS,
  MANUAL_TYPES,
  type ManualCell,
  type ManualColumn,
  type ManualRows
} from '../../../workflow/manual/manual-rows.ts'

/** Rows while they are typed. Never changed: each edit makes a new one, which shares the rows that stay. */
export type TypedTable = ManualRows

/** A block of cells, both ends included. */
export type Block = {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

const emptyRow = (columns: number): ManualCell[] => Array.from({ length: columns }, () => null)

/** A name that no column has: `column3`. */
const freshName = (columns: readonly ManualColumn[]): string => {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()))
  let number = columns.length + 1
  while (taken.has(`column${number}`)) number += 1
  return `column${number}`
}

/** What a person finds who begins: two columns and a few rows. */
export const emptyTable = (): TypedTable => ({
  columns: [
    { name: 'column1', type: 'text' },
    { name: 'column2', type: 'text' }
  ],
  rows: Array.from({ length: 5 }, () => emptyRow(2))
})

export const insertColumn = ({ columns, rows }: TypedTable, at: number): TypedTable => ({
  columns: columns.toSpliced(at, 0, { name: freshName(columns), type: 'text' }),
  rows: rows.map((row) => row.toSpliced(at, 0, null))
})

export const removeColumn = ({ columns, rows }: TypedTable, at: number): TypedTable => ({
  columns: columns.toSpliced(at, 1),
  rows: rows.map((row) => row.toSpliced(at, 1))
})

const moved = <T>(list: readonly T[], from: number, to: number): T[] => {
  const [item] = list.slice(from, from + 1)
  return item === undefined ? [...list] : list.toSpliced(from, 1).toSpliced(to, 0, item)
}

export const moveColumn = ({ columns, rows }: TypedTable, from: number, to: number): TypedTable =>
  to < 0 || to >= columns.length
    ? { columns, rows }
    : { columns: moved(columns, from, to), rows: rows.map((row) => moved(row, from, to)) }

export const setColumn = ({ columns, rows }: TypedTable, at: number, column: ManualColumn): TypedTable => ({
  columns: columns.with(at, column),
  rows
})

export const insertRows = ({ columns, rows }: TypedTable, at: number, count = 1): TypedTable => ({
  columns,
  rows: rows.toSpliced(at, 0, ...Array.from({ length: count }, () => emptyRow(columns.length)))
})

export const removeRows = ({ columns, rows }: TypedTable, { top, bottom }: Block): TypedTable => ({
  columns,
  rows: rows.toSpliced(top, bottom - top + 1)
})

/** Moves the rows of a block by one, up (-1) or down (1); the same table where there is no room. */
export const moveRows = (table: TypedTable, { top, bottom }: Block, by: -1 | 1): TypedTable => {
  const { columns, rows } = table
  if (top + by < 0 || bottom + by >= rows.length) return table
  return { columns, rows: by < 0 ? moved(rows, top - 1, bottom) : moved(rows, bottom + 1, top) }
}

/** Puts cells in from a place on; the table grows for what does not fit in it. */
export const putCells = (
  table: TypedTable,
  { row: top, column: left }: { readonly row: number; readonly column: number },
  cells: readonly (readonly ManualCell[])[]
): TypedTable => {
  let grown = table
  const width = Math.max(0, ...cells.map((row) => row.length))
  while (grown.columns.length < left + width) grown = insertColumn(grown, grown.columns.length)
  const missing = top + cells.length - grown.rows.length
  if (missing > 0) grown = insertRows(grown, grown.rows.length, missing)
  const rows = [...grown.rows]
  for (const [at, put] of cells.entries()) {
    const row = [...(rows[top + at] ?? emptyRow(grown.columns.length))]
    for (const [column, cell] of put.entries()) row[left + column] = cell
    rows[top + at] = row
  }
  return { columns: grown.columns, rows }
}

/** What keeps cells from being put in: the table would be larger than can be typed. Null where it would not. */
export const tooLarge = (
  { row, column }: { readonly row: number; readonly column: number },
  cells: readonly (readonly ManualCell[])[]
): string | null => {
  const rows = row + cells.length
  const columns = column + Math.max(0, ...cells.map((each) => each.length))
  if (rows <= MANUAL_LIMITS.rows && columns <= MANUAL_LIMITS.columns) return null
  const [most, mostColumns] = [MANUAL_LIMITS.rows.toLocaleString('en'), MANUAL_LIMITS.columns]
  return `That would make ${rows.toLocaleString('en')} rows and ${columns} columns; at most ${most} rows and ${mostColumns} columns can be typed. Save it as a file and add that instead.`
}

export const fillBlock = (
  table: TypedTable,
  { top, bottom, left, right }: Block,
  cell: ManualCell
): TypedTable =>
  putCells(
    table,
    { row: top, column: left },
    Array.from({ length: bottom - top + 1 }, () => Array.from({ length: right - left + 1 }, () => cell))
  )

export const cellsOf = ({ rows }: TypedTable, { top, bottom, left, right }: Block): ManualCell[][] =>
  rows.slice(top, bottom + 1).map((row) => row.slice(left, right + 1))

/** Without the empty rows at its end, which were only there to be typed into. */
export const withoutEmptyEnd = ({ columns, rows }: TypedTable): TypedTable => ({
  columns,
  rows: rows.slice(0, rows.findLastIndex((row) => row.some((cell) => cell !== null)) + 1)
})

/** From the narrowest on; JSON and times are a person's choice, since plain words and numbers would fit them, too. */
const GUESSED = ['integer', 'number', 'decimal', 'boolean', 'date', 'timestamp'] as const

const guessedType = (cells: readonly ManualCell[]): ManualColumn['type'] => {
  const present = cells.filter((cell) => cell !== null)
  // A code such as 007 would lose its zeros.
  const isCode = present.some((cell) => /^[+-]?0\d/.test(cell.trim()))
  if (present.length === 0 || isCode) return 'text'
  const fits = (type: (typeof MANUAL_TYPES)[number]): boolean =>
    present.every((cell) => cellProblem(type, cell) === null)
  return GUESSED.find((type) => fits(type) && !(type === 'number' && losesDigits(present))) ?? 'text'
}

/** Would a number that a double holds be another one than what is written? More than 15 digits may be. */
const losesDigits = (cells: readonly string[]): boolean =>
  cells.some((cell) => cell.replaceAll(/[eE].*$|\D/g, '').replace(/^0+/, '').length > 15)

/** Each column of text gets the type that all its cells have. */
export const guessTypes = ({ columns, rows }: TypedTable): TypedTable => ({
  columns: columns.map((column, at) =>
    column.type === 'text' ? { ...column, type: guessedType(rows.map((row) => row[at] ?? null)) } : column
  ),
  rows
})

/** The first row leaves and becomes the columns' names, and types are guessed from what stays. */
export const firstRowAsHeader = ({ columns, rows }: TypedTable): TypedTable => {
  const [header = [], ...others] = rows
  const named = columns.map((column, at) => ({ ...column, name: header[at]?.trim() || column.name }))
  return guessTypes({ columns: named, rows: others })
}
