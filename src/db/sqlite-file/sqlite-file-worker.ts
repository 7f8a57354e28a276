import sqlite3InitModule, {
  type Database,
  type PreparedStatement,
  type SqlValue
} from '@sqlite.org/sqlite-wasm'
import { FlowForgeError, isFlowForgeError, toWireError } from '../flowforge-error.ts'
import type { FileValue } from '../sqlite-file-port.ts'
import type { FileAnswer, OpenFile } from './messages.ts'
import { openUntrusted, tablesOf } from './untrusted-file.ts'

const ROWS_A_MESSAGE = 10_000
const CHARACTERS_A_MESSAGE = 8 * 1024 * 1024

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

const toSql = (
  tables: readonly string[],
  { table, query }: OpenFile
): { sql: string; table: string | null } => {
  // In brackets and on lines of its own: what is not one SELECT is no SQL there.
  if (query !== undefined) return { sql: `SELECT * FROM (\n${query}\n)`, table: null }
  const name = table === undefined ? tables[0] : tables.find((known) => known === table)
  if (name !== undefined) return { sql: `SELECT * FROM ${quoteName(name)}`, table: name }
  const message =
    table === undefined
      ? 'it holds no table'
      : `it has no table "${table}". There ${tables.length === 0 ? 'is none' : `are: ${tables.join(', ')}`}`
  throw new FlowForgeError('INVALID_INPUT', message, { reason: 'unknown-table', tables })
}

const toFailure = (thrown: unknown, query: string | undefined): FlowForgeError => {
  if (isFlowForgeError(thrown)) return thrown
  const said = (thrown instanceof Error ? thrown.message : String(thrown)).replace(
    /^.*sqlite3? result code \d+: /i,
    ''
  )
  if (/not authorized/i.test(said)) {
    return new FlowForgeError(
      'NOT_ALLOWED',
      'its query asks for more than one SELECT that reads',
      { query },
      thrown
    )
  }
  return new FlowForgeError(
    'INVALID_INPUT',
    said,
    { reason: query === undefined ? 'broken' : 'query' },
    thrown
  )
}

/** The library's type allows more kinds of bytes than it gives. */
const toValue = (value: SqlValue | undefined): FileValue => {
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (value instanceof Int8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  return value ?? null
}

/** Rows until their end; a statement that is stepped beyond it would begin anew. */
const rowReader = (statement: PreparedStatement): (() => readonly FileValue[][]) => {
  let ended = false
  return () => {
    const rows: FileValue[][] = []
    let characters = 0
    while (!ended && rows.length < ROWS_A_MESSAGE && characters < CHARACTERS_A_MESSAGE) {
      ended = !statement.step()
      if (ended) break
      const row = statement.get([]).map(toValue)
      for (const value of row) {
        characters += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
      }
      rows.push(row)
    }
    return rows
  }
}

type Opened = {
  readonly answer: FileAnswer
  readonly next: () => readonly FileValue[][]
  /** Kept as long as its statement is. */
  readonly database: Database
}

const open = async (asked: OpenFile): Promise<Opened> => {
  const database = await openUntrusted(await sqlite3InitModule(), asked.file)
  const tables = tablesOf(database)
  const { sql, table } = toSql(tables, asked)
  // Alone first: in brackets, a bracket that the query closes itself would end it there, unseen.
  if (asked.query !== undefined) database.prepare(asked.query).finalize()
  const statement = database.prepare(sql)
  const answer: FileAnswer = { type: 'opened', columns: statement.getColumnNames(), tables, table }
  return { answer, next: rowReader(statement), database }
}

globalThis.addEventListener('message', ({ data, ports }: MessageEvent<OpenFile>) => {
  const [port] = ports
  if (port === undefined) return
  const opening = open(data)
  let isOpen = false
  const answer = async (): Promise<FileAnswer> => {
    try {
      const opened = await opening
      if (isOpen) return { type: 'rows', rows: opened.next() }
      isOpen = true
      return opened.answer
    } catch (thrown) {
      return { type: 'failed', error: toWireError(toFailure(thrown, data.query)) }
    }
  }
  port.addEventListener('message', () => {
    answer()
      .then((found) => port.postMessage(found))
      .catch((thrown: unknown) => console.error(thrown))
  })
  port.start()
})
