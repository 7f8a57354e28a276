import { FlowForgeError } from '../../db/ports.ts'
import { isExactNumber } from './exact-number.ts'
import { jsonShape, jsonValues, strictJsonValues } from './json-parsing.ts'

export type JsonRow = Readonly<Record<string, unknown>>

const isRow = (value: unknown): value is JsonRow =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)

/** What is no table: JSON, or nothing. */
export const notRows = (fileName: string, found: string): FlowForgeError =>
  new FlowForgeError(
    'INVALID_INPUT',
    `"${fileName}" holds no rows: an array of objects or one object a line is expected, found ${found}.`,
    { fileName, line: 1, reason: 'not-rows', expected: 'objects', found }
  )

const nameOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'an array'
  return value === null ? 'null' : `a ${typeof value}`
}

export type Rows = { readonly read: () => AsyncIterable<JsonRow>; readonly notes: readonly string[] }

/** An object that stands alone is a row, unless one of its members, and only one, is a list of rows. */
const rowsInside = (only: JsonRow): Rows => {
  const lists = Object.entries(only).filter(
    ([, value]) => Array.isArray(value) && value.length > 0 && value.every(isRow)
  )
  const [list] = lists
  const asRows = async function* (rows: readonly unknown[]): AsyncGenerator<JsonRow> {
    yield* rows.filter(isRow)
  }
  if (list === undefined || lists.length > 1 || !Array.isArray(list[1])) {
    return { read: () => asRows([only]), notes: ['One object: one row.'] }
  }
  const [key, members] = list
  return {
    read: () => asRows(members),
    notes: [`The rows are those of "${key}"; what stands beside it was not read.`]
  }
}

/**
 * The rows of a JSON file. They can be read more than once: first for their types, then to be written.
 * @throws FlowForgeError `INVALID_INPUT` with the line for what is no JSON, or JSON without rows
 */
export const openRows = async (blob: Blob, fileName: string): Promise<Rows> => {
  const shape = await jsonShape(blob)
  if (shape === null) {
    // What is no JSON at all is told with its line; a lone number or text is JSON, but no rows.
    for await (const value of strictJsonValues(blob, fileName, 'objects'))
      throw notRows(fileName, nameOf(value))
    throw notRows(fileName, 'nothing')
  }
  const read = async function* (): AsyncGenerator<JsonRow> {
    for await (const value of jsonValues(blob, fileName, shape)) {
      if (!isRow(value)) throw notRows(fileName, nameOf(value))
      yield value
    }
  }
  if (shape === 'array') return { read, notes: [] }
  const first: JsonRow[] = []
  for await (const row of read()) {
    first.push(row)
    if (first.length > 1) break
  }
  const [only] = first
  return only === undefined || first.length > 1 ? { read, notes: [] } : rowsInside(only)
}
