import type { Database, Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { FlowForgeError } from '../flowforge-error.ts'
import { FORBIDDEN_FUNCTIONS, FORBIDDEN_TABLES } from '../sqlite/read-only-query.ts'

/** The file is held in memory while it is read. */
const MOST_BYTES = 1024 * 1024 * 1024
const MAGIC = 'SQLite format 3\0'
/** Places in the header: how large the file is, if that was counted since its last change. */
const PAGE_BYTES = 16
const CHANGES = 24
const PAGES = 28
const COUNTED_AT = 92
/** Where the header says that the file has a log beside it; a file in memory cannot have one. */
const WRITE_VERSION = 18
const READ_VERSION = 19

const refuse = (message: string, reason: string): FlowForgeError =>
  new FlowForgeError('INVALID_INPUT', message, { reason })

const bytesOf = async (file: Blob): Promise<Uint8Array> => {
  const head = new TextDecoder('latin1').decode(await file.slice(0, MAGIC.length).arrayBuffer())
  if (head !== MAGIC) throw refuse('it is no SQLite database', 'broken')
  if (file.size > MOST_BYTES) {
    const size = Math.round(file.size / 1024 / 1024)
    throw refuse(
      `it has ${size} MB, and up to 1,024 can be read. Export the table as CSV or Parquet`,
      'too-large'
    )
  }
  const bytes = new Uint8Array(await file.arrayBuffer())
  const header = new DataView(bytes.buffer)
  const pageBytes = header.getUint16(PAGE_BYTES) === 1 ? 65_536 : header.getUint16(PAGE_BYTES)
  const isCounted = header.getUint32(CHANGES) === header.getUint32(COUNTED_AT)
  if (isCounted && header.getUint32(PAGES) * pageBytes > bytes.length) throw refuse('it is cut off', 'broken')
  bytes[WRITE_VERSION] = 1
  bytes[READ_VERSION] = 1
  return bytes
}

/** Asks for nothing but reading: the authorizer refuses the rest while a statement is prepared. */
const guard = (sqlite3: Sqlite3Static, database: Database): void => {
  const { capi } = sqlite3
  capi.sqlite3_set_authorizer(
    database,
    (_argument, action, first, second) => {
      switch (action) {
        case capi.SQLITE_SELECT:
        case capi.SQLITE_RECURSIVE:
          return capi.SQLITE_OK
        case capi.SQLITE_READ:
          return first !== 0 && FORBIDDEN_TABLES.has(first.toLowerCase()) ? capi.SQLITE_DENY : capi.SQLITE_OK
        case capi.SQLITE_FUNCTION:
          return second !== 0 && FORBIDDEN_FUNCTIONS.has(second.toLowerCase())
            ? capi.SQLITE_DENY
            : capi.SQLITE_OK
        default:
          return capi.SQLITE_DENY
      }
    },
    0
  )
}

/** Opens a file's copy in memory, so that whatever is in it can only be read, and reads nothing but itself. */
export const openUntrusted = async (sqlite3: Sqlite3Static, file: Blob): Promise<Database> => {
  const { capi, wasm } = sqlite3
  const bytes = await bytesOf(file)
  const database = new sqlite3.oo1.DB(':memory:')
  const pointer = wasm.allocFromTypedArray(bytes)
  const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_READONLY
  database.checkRc(capi.sqlite3_deserialize(database, 'main', pointer, bytes.length, bytes.length, flags))
  capi.sqlite3_db_config(database, capi.SQLITE_DBCONFIG_DEFENSIVE, 1, 0)
  capi.sqlite3_db_config(database, capi.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, 0)
  capi.sqlite3_db_config(database, capi.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, 0)
  database.exec('PRAGMA cell_size_check = ON')
  guard(sqlite3, database)
  return database
}

/** Names of its tables and views, in the order of their making. */
export const tablesOf = (database: Database): readonly string[] =>
  database
    .selectValues(
      `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       ORDER BY type, rowid`
    )
    .map(String)
