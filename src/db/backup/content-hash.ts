import { createSHA256 } from 'hash-wasm'
import { FlowForgeError } from '../flowforge-error.ts'
import type { Row } from '../ports.ts'
import type { Bound, SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { FIRST_PIECE, nextPiece } from '../health/piece-size.ts'
import { nextTurn } from './turns.ts'

export type TableHash = { readonly name: string; readonly rows: number; readonly sha256: string }

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Every table that holds rows of its own, but those that make a file a backup. */
export const tableNames = (database: SqliteDatabase): string[] =>
  database
    .allOnce(
      `SELECT name FROM sqlite_schema
       WHERE type = 'table' AND (name = 'sqlite_sequence' OR name NOT LIKE 'sqlite\\_%' ESCAPE '\\')
         AND name NOT LIKE 'backup\\_%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL %'
       ORDER BY name`
    )
    .map((row) => String(row['name']))

/** One value, told apart from every other: its type, its length, its bytes; a real number with all of its digits. */
const encoded = (column: string): string => `CASE typeof(${column})
  WHEN 'text' THEN 't' || length(CAST(${column} AS BLOB)) || ':' || ${column}
  WHEN 'blob' THEN 'b' || length(${column}) || ':' || hex(${column})
  WHEN 'integer' THEN 'i' || ${column} || ';'
  WHEN 'real' THEN 'r' || printf('%!.17g', ${column}) || ';'
  ELSE 'n' END`

const toBound = (value: unknown): Bound => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  return value instanceof Uint8Array ? value : null
}

/** The SHA-256 of a table's rows in the order of its key: the same rows have the same hash, wherever their pages lie. */
export const hashTable = async (
  database: SqliteDatabase,
  table: string,
  signal?: AbortSignal
): Promise<TableHash> => {
  const columns = database.allOnce('SELECT name, pk FROM pragma_table_info(?) ORDER BY cid', [table])
  const names = columns.map((row) => quoted(String(row['name'])))
  const keys = columns
    .filter((row) => Number(row['pk']) > 0)
    .toSorted((one, other) => Number(one['pk']) - Number(other['pk']))
    .map((row) => quoted(String(row['name'])))
  const key = keys.length > 0 ? keys : ['rowid']
  const after = `(${key.join(', ')}) > (${key.map((_, index) => `?${index + 1}`).join(', ')})`
  const select = (where: string): string =>
    `SELECT CAST(${names.map(encoded).join(' || ')} || x'0a' AS BLOB) AS line,
            ${key.map((each, index) => `${each} AS key${index}`).join(', ')}
     FROM ${quoted(table)} ${where} ORDER BY ${key.join(', ')} LIMIT ?`

  const count = Number(database.allOnce(`SELECT count(*) AS count FROM ${quoted(table)}`)[0]?.['count'])
  const hash = await createSHA256()
  let rows = 0
  let last: Bound[] | null = null
  let limit = FIRST_PIECE
  for (;;) {
    const batch: Row[] =
      last === null
        ? database.allOnce(select(''), [limit])
        : database.all(select(`WHERE ${after}`), [...last, limit])
    let bytes = 0
    for (const { line } of batch) {
      if (!(line instanceof Uint8Array)) continue
      hash.update(line)
      bytes += line.byteLength
    }
    rows += batch.length
    const end = batch.at(-1)
    if (end === undefined || batch.length < limit) break
    limit = nextPiece(limit, bytes)
    if (rows > count) throw new FlowForgeError('CORRUPT', `The keys of ${table} cannot be walked.`)
    last = key.map((_, index) => toBound(end[`key${index}`]))
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other, others' work between them
    await nextTurn(signal)
  }
  return { name: table, rows, sha256: hash.digest('hex') }
}

/** The hashes of all tables. @param onTable told of each that is done */
export const hashTables = async (
  database: SqliteDatabase,
  onTable: (done: number, total: number) => void = () => undefined,
  signal?: AbortSignal
): Promise<TableHash[]> => {
  const names = tableNames(database)
  const hashes: TableHash[] = []
  for (const name of names) {
    // oxlint-disable-next-line no-await-in-loop -- one connection
    hashes.push(await hashTable(database, name, signal))
    onTable(hashes.length, names.length)
  }
  return hashes
}
