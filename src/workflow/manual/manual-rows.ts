import { z } from 'zod'
import { sameName } from '../sql-text.ts'
import { readCell } from './cell-text.ts'

/** The types that a column of rows typed by hand can have: all but bytes, which nobody types. */
export const MANUAL_TYPES = [
  'text',
  'integer',
  'number',
  'decimal',
  'boolean',
  'date',
  'time',
  'timestamp',
  'json'
] as const
export const ManualType = z.enum(MANUAL_TYPES)
export type ManualType = z.infer<typeof ManualType>

export const ManualColumn = z.strictObject({ name: z.string(), type: ManualType })
export type ManualColumn = z.infer<typeof ManualColumn>

/** What was typed into a cell; null is NULL, and is not the empty text. */
export type ManualCell = string | null

/** Rows typed by hand, each with a cell a column. */
export type ManualRows = {
  readonly columns: readonly ManualColumn[]
  readonly rows: readonly (readonly ManualCell[])[]
}

/** Beyond these a file is the better place for rows. `characters` is of all cells together. */
export const MANUAL_LIMITS = {
  rows: 10_000,
  columns: 100,
  name: 200,
  cell: 10_000,
  characters: 8 * 1024 * 1024
} as const

/** What keeps rows from being stored; `row` and `column` count from 0, where it is about one. */
export type ManualProblem = {
  readonly message: string
  readonly row?: number
  readonly column?: number
}

const count = (value: number): string => value.toLocaleString('en')

const columnProblems = (columns: readonly ManualColumn[]): ManualProblem[] => {
  if (columns.length === 0) return [{ message: 'There are no columns. Add at least one.' }]
  if (columns.length > MANUAL_LIMITS.columns) {
    const message = `There are ${count(columns.length)} columns; at most ${MANUAL_LIMITS.columns} can be typed. Import a file instead.`
    return [{ message }]
  }
  return columns.flatMap(({ name }, column): ManualProblem[] => {
    const nth = `Column ${column + 1}`
    if (name.trim() === '') return [{ column, message: `${nth} has no name. Give it one.` }]
    if (name !== name.trim())
      return [{ column, message: `${nth}: a space begins or ends its name. Drop it.` }]
    if (name.length > MANUAL_LIMITS.name) {
      return [{ column, message: `${nth}: its name is longer than ${MANUAL_LIMITS.name} characters.` }]
    }
    if (/[\p{Surrogate}\p{Cc}]/u.test(name)) {
      return [
        { column, message: `${nth}: its name holds a line break or another character that is not shown.` }
      ]
    }
    const first = columns.findIndex((other) => sameName(other.name, name))
    return first < column
      ? [{ column, message: `${nth} is called "${name}", as column ${first + 1} is. Rename one of them.` }]
      : []
  })
}

/** At most this much of a cell is said again in a message. */
const SHOWN = 40
const shown = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)

/** What is wrong with one cell, without its place; null where nothing is. */
export const cellProblem = (type: ManualType, cell: ManualCell): string | null => {
  if (cell === null) return null
  if (cell.length > MANUAL_LIMITS.cell) {
    return `holds ${count(cell.length)} characters; at most ${count(MANUAL_LIMITS.cell)} fit into a cell.`
  }
  const reading = readCell(type, cell)
  if (!('problem' in reading)) return null
  return cell.trim() === '' ? reading.problem : `"${shown(cell)}" ${reading.problem}`
}

const rowProblems = ({ columns, rows }: ManualRows, most: number): ManualProblem[] => {
  const problems: ManualProblem[] = []
  for (const [row, cells] of rows.entries()) {
    if (cells.length !== columns.length) {
      const message = `Row ${count(row + 1)} has ${cells.length} cells, but there are ${columns.length} columns.`
      problems.push({ row, message })
    } else {
      for (const [column, { name, type }] of columns.entries()) {
        const problem = cellProblem(type, cells[column] ?? null)
        const message = `Row ${count(row + 1)}, column "${name}": ${problem ?? ''}`
        if (problem !== null) problems.push({ row, column, message })
      }
    }
    if (problems.length >= most) return problems.slice(0, most)
  }
  return problems
}

/** What keeps rows from being stored, the first `most` of it; none where they can be. */
export const manualProblems = (typed: ManualRows, most = 100): readonly ManualProblem[] => {
  const { columns, rows } = typed
  if (rows.length > MANUAL_LIMITS.rows) {
    const message = `There are ${count(rows.length)} rows; at most ${count(MANUAL_LIMITS.rows)} can be typed. Import a file instead.`
    return [{ message }]
  }
  const ofColumns = columnProblems(columns)
  if (ofColumns.length > 0) return ofColumns
  let characters = 0
  for (const cells of rows) for (const cell of cells) characters += cell?.length ?? 0
  if (characters > MANUAL_LIMITS.characters) {
    const message = `The cells hold ${count(characters)} characters together; at most ${count(MANUAL_LIMITS.characters)} can be typed. Import a file instead.`
    return [{ message }]
  }
  return rowProblems(typed, most)
}

/** Rows without problems, each cell in the form that is kept: `+7` as `7`, ` TRUE` as `true`. */
export const keptRows = ({ columns, rows }: ManualRows): ManualRows => ({
  columns: columns.map(({ name, type }) => ({ name, type })),
  rows: rows.map((cells) =>
    columns.map(({ type }, at) => {
      const cell = cells[at] ?? null
      const reading = cell === null ? null : readCell(type, cell)
      return reading === null || 'problem' in reading ? cell : reading.text
    })
  )
})
