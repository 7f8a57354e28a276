import {
  FlowForgeError,
  toFlowForgeError,
  type BlobStorePort,
  type FileRows,
  type ReadSqliteFile
} from '../../db/ports.ts'
import { MEMORY_BUDGET } from '../../workflow/run/memory-budget.ts'
import { quoteName, quoteText } from '../../workflow/sql-text.ts'
import { ownValue } from '../../workflow/own-value.ts'
import { arrowPiecesOf, type Cells } from './arrow-writing.ts'
import { END_MARKER, rowsIn } from './arrow-pieces.ts'
import type { ColumnarChunk } from './columnar-file.ts'
import { tellApart } from './column-names.ts'
import type { PreparedSource } from './compute-engine.ts'
import { hexText } from './csv-text.ts'
import { toArrowQuery, toColumn, typedColumn } from './duckdb-types.ts'
import { storeChunks } from './prepare-columnar.ts'
import { canceledError } from './engine-errors.ts'
import { startDuckDB } from './duckdb-instance.ts'
import { openSession } from './session.ts'
import { storeRows } from './prepared-rows.ts'
import { checkTypedColumns, type SourceOptions } from './source-options.ts'
import { openSourceBlob, type SourceTables } from './source-tables.ts'
import { columnOf, emptyShape, see } from './value-shape.ts'
import type { Workplace } from './sessions.ts'

type File = { readonly blobKey: string; readonly fileName: string; readonly options: SourceOptions }
type Parts = {
  readonly blobStore: BlobStorePort
  readonly tables: SourceTables
  readonly readSqliteFile: ReadSqliteFile
}

const tableNote = (table: string | null, tables: readonly string[]): readonly string[] => {
  const others = tables.filter((name) => name !== table)
  if (table === null || others.length === 0) return []
  return [`Table "${table}" was read; ${others.length} of ${tables.length} were not: ${others.join(', ')}.`]
}

/** A SQLite file's rows, read twice: for their types, since its columns need not keep to any, and to be written. */
const prepareSqlite = async (
  place: Workplace,
  parts: Parts,
  file: File,
  blob: Blob
): Promise<PreparedSource> => {
  const { fileName, options } = file
  const { table, query, types = {} } = options
  const open = (): Promise<FileRows> =>
    parts.readSqliteFile({ file: blob, table, query, signal: place.signal })
  const first = await open()
  const shapes = first.columns.map(() => ({ values: emptyShape(), bytes: 0, others: 0 }))
  let rows = 0
  for await (const row of first.rows) {
    rows += 1
    for (const [at, shape] of shapes.entries()) {
      const value = row[at] ?? null
      if (value instanceof Uint8Array) shape.bytes += 1
      else {
        if (value !== null) shape.others += 1
        see(shape.values, value)
      }
    }
  }
  const { names, notes: renamed } = tellApart(first.columns)
  checkTypedColumns(fileName, names, types)
  const mixed: string[] = []
  const columns = shapes.map(({ values, bytes, others }, at) => {
    const name = names[at] ?? ''
    const type = ownValue(types, name)
    if (type !== undefined) return typedColumn(name, type)
    if (bytes === 0) return columnOf(name, values)
    if (others === 0) return typedColumn(name, 'bytes')
    mixed.push(`Column "${name}" is text: its bytes are written in hexadecimal beside its other values.`)
    return typedColumn(name, 'text')
  })
  const second = await open()
  const cells = async function* (): AsyncGenerator<Cells> {
    for await (const row of second.rows) {
      yield row.map((value, at) =>
        value instanceof Uint8Array && columns[at]?.type !== 'bytes' ? hexText(value) : value
      )
    }
  }
  const notes = [...tableNote(first.table, first.tables), ...renamed, ...mixed]
  return storeRows(place, parts, { fileName, columns, rows, pieces: arrowPiecesOf(columns, cells()), notes })
}

/** A file that is cut off can keep the engine reading for ever. */
const ATTACH_MS = 15_000

/** Whatever a file does to an engine that is there for it alone, the file is what is wrong. */
const asBroken = (thrown: unknown): FlowForgeError => {
  const error = toFlowForgeError(thrown)
  if (error.code !== 'WORKER_LOST' && error.code !== 'INTERNAL') return error
  return new FlowForgeError(
    'INVALID_INPUT',
    'it is cut off, or its inside is damaged',
    { reason: 'broken' },
    thrown
  )
}

/**
 * A DuckDB file's rows: attached for reading alone by an engine of its own with the same locked settings, so that a
 * damaged file takes nothing else with it, and written as Arrow.
 */
const prepareDuckDB = async (
  place: Workplace,
  parts: Parts,
  file: File,
  blob: Blob
): Promise<PreparedSource> => {
  const { table, query } = file.options
  const name = '_file'
  const instance = await startDuckDB(MEMORY_BUDGET)
  const deadline = setTimeout(instance.terminate, ATTACH_MS)
  place.signal.addEventListener('abort', instance.terminate, { once: true })
  try {
    const session = await openSession(instance, place.signal)
    const path = await session.registerFile(blob)
    await session.run(`ATTACH ${quoteText(path)} AS ${quoteName(name)} (READ_ONLY)`)
    clearTimeout(deadline)
    const found = await session.rows(
      `SELECT schema_name AS "schema", table_name AS "name" FROM duckdb_tables() WHERE database_name = ${quoteText(name)}
       UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = ${quoteText(name)} AND NOT internal`
    )
    const known = found.map((row) => ({ schema: String(row['schema']), name: String(row['name']) }))
    const wanted = table === undefined ? known[0] : known.find((each) => each.name === table)
    const tables = known.map((each) => each.name)
    if (query === undefined && wanted === undefined) {
      const message =
        table === undefined
          ? 'it holds no table'
          : `it has no table "${table}". There are: ${tables.join(', ')}`
      throw new FlowForgeError('INVALID_INPUT', message, { reason: 'unknown-table', tables })
    }
    await session.run(`USE ${quoteName(name)}`)
    const rows =
      query !== undefined
        ? `SELECT * FROM (\n${query}\n)`
        : `SELECT * FROM ${quoteName(name)}.${quoteName(wanted?.schema ?? '')}.${quoteName(wanted?.name ?? '')}`
    // Prepared alone, so that a second statement is refused before the first one runs.
    await session.check(rows)
    const columns = (await session.rows(`DESCRIBE ${rows}`)).map((row) =>
      toColumn(String(row['column_name']), String(row['column_type']))
    )
    const chunks = async function* (): AsyncGenerator<ColumnarChunk> {
      const batches = session.stream(toArrowQuery(rows, columns))
      const { value: schema } = await batches.next()
      if (schema === undefined) throw new Error('The engine gave no schema.')
      let none = true
      for await (const batch of batches) {
        none = false
        yield { bytes: await joined([schema, batch, END_MARKER]), rows: rowsIn(batch) }
      }
      if (none) yield { bytes: await joined([schema, END_MARKER]), rows: 0 }
    }
    const notes = tableNote(query === undefined ? (wanted?.name ?? null) : null, tables)
    return await storeChunks(place, parts, file, chunks(), notes)
  } catch (thrown) {
    throw place.signal.aborted ? canceledError() : asBroken(thrown)
  } finally {
    clearTimeout(deadline)
    place.signal.removeEventListener('abort', instance.terminate)
    instance.terminate()
  }
}

const joined = async (parts: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer())

/** Reads a table or a query of a SQLite or DuckDB file; which of the two it is, its first bytes say. */
export const prepareDatabase = async (
  place: Workplace,
  parts: Parts,
  file: File
): Promise<PreparedSource> => {
  const { fileName } = file
  const blob = await openSourceBlob(parts.blobStore, file.blobKey)
  const head = new TextDecoder('latin1').decode(await blob.slice(0, 16).arrayBuffer())
  const isDuckDB = head.slice(8, 12) === 'DUCK'
  try {
    return await (isDuckDB ? prepareDuckDB : prepareSqlite)(place, parts, file, blob)
  } catch (thrown) {
    const error = toFlowForgeError(thrown)
    if (error.code !== 'INVALID_INPUT' && error.code !== 'NOT_ALLOWED') throw error
    if (error.message.startsWith(`"${fileName}"`)) throw error
    const message = `"${fileName}" cannot be read as a ${isDuckDB ? 'DuckDB' : 'SQLite'} database: ${error.message.replace(/\.$/, '')}.`
    throw new FlowForgeError('INVALID_INPUT', message, { line: 0, ...error.details, fileName }, thrown)
  }
}
