import type { BlobStorePort } from '../../db/ports.ts'
import type { TextEncoding } from '../../workflow/data-source/csv-reading.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import { ownValue } from '../../workflow/own-value.ts'
import { typedColumn } from './duckdb-types.ts'
import type { PreparedSource } from './compute-engine.ts'
import { brokenCsv, csvComplaint, MENDABLE } from './csv-errors.ts'
import { sniffCsv, type Sniffed } from './csv-sniffing.ts'
import { checkTypedColumns, type SourceOptions } from './source-options.ts'
import { isScannedInPlace, openSourceBlob, type SourceTables, withLongLines } from './source-tables.ts'
import { detectEncoding, encodingNote, noText, toUtf8 } from './text-encoding.ts'
import type { Workplace } from './sessions.ts'

export type CsvFile = {
  readonly blobKey: string
  readonly fileName: string
  readonly options: SourceOptions
}
export type CsvParts = { readonly blobStore: BlobStorePort; readonly tables: SourceTables }

/** A copy in UTF-8 where the file is in anything else. */
const recoded = (blobStore: BlobStorePort, blob: Blob, encoding: TextEncoding) =>
  blobStore.putStream({ prefix: 'prepared/', stream: toUtf8(blob, encoding), contentType: 'text/csv' })

const withChosenTypes = (sniffed: Sniffed, { types = {} }: SourceOptions): Sniffed => ({
  ...sniffed,
  columns: sniffed.columns.map((column) => {
    const type = ownValue(types, column.name)
    return type === undefined ? column : typedColumn(column.name, type)
  })
})

const countRows = async (
  place: Workplace,
  tables: SourceTables,
  source: Omit<PreparedSource, 'rows' | 'notes'>
): Promise<number> => {
  const { columns } = source
  const relation = await tables.relation(place, source)
  // Where the file is scanned in place each column is named, so that each value is read and found to fit its type; what
  // has become a table has proven that already.
  const all = relation.startsWith('read_csv(') ? columns.map(({ name }) => `, count(${quoteName(name)})`) : []
  const [row] = await place.session.rows(`SELECT count(*)::DOUBLE AS "rows"${all.join('')} FROM ${relation}`)
  return Number(row?.['rows'])
}

/** A guess that did not hold for a later line, mended; null where nothing is left to mend. */
const mended = async (
  place: Workplace,
  blob: Blob,
  file: CsvFile,
  sniffed: Sniffed,
  failure: unknown,
  tries: number
): Promise<Sniffed | null> => {
  const complaint = csvComplaint(failure)
  if (complaint.kind === 'quote' && sniffed.quoteIsGuessed && sniffed.dialect.quote !== '') {
    return { ...sniffed, dialect: { ...sniffed.dialect, quote: '', escape: '' } }
  }
  if (complaint.kind !== 'conversion') return null
  const { column, value } = complaint
  if (Object.hasOwn(file.options.types ?? {}, column)) return null
  if (value === '' && !sniffed.dialect.quotedNulls) {
    return { ...sniffed, dialect: { ...sniffed.dialect, quotedNulls: true } }
  }
  if (tries === 0) {
    const again = await sniffCsv(place.session, blob, file, -1)
    return withChosenTypes(again, file.options)
  }
  const columns = sniffed.columns.map((known) =>
    known.name === column ? typedColumn(column, 'text') : known
  )
  return {
    ...sniffed,
    columns,
    notes: [...sniffed.notes, `Column "${column}" is text: not all of its values are of one type.`]
  }
}

const scan = async (
  place: Workplace,
  parts: CsvParts,
  file: CsvFile,
  blobKey: string
): Promise<PreparedSource> => {
  const blob = await openSourceBlob(parts.blobStore, blobKey)
  let sniffed = withChosenTypes(await sniffCsv(place.session, blob, file), file.options)
  checkTypedColumns(
    file.fileName,
    sniffed.columns.map(({ name }) => name),
    file.options.types
  )
  for (let tries = 0; ; tries += 1) {
    try {
      const { dialect, columns, notes } = sniffed
      const count = async (lineBytes?: number): Promise<PreparedSource> => {
        const reader = { type: 'csv' as const, dialect, ...(lineBytes === undefined ? {} : { lineBytes }) }
        const source = { reader, blobKey, columns }
        return { ...source, rows: await countRows(place, parts.tables, source), notes }
      }
      // A table finds the room for its lines itself.
      return isScannedInPlace(blob) ? await withLongLines(count) : await count()
    } catch (thrown) {
      const better = await mended(place, blob, file, sniffed, thrown, tries)
      if (better === null || tries > sniffed.columns.length + 2) throw thrown
      sniffed = better
    }
  }
}

/**
 * Reads a CSV file through once. Its dialect and types are guessed from its beginning and proven on all of it; a guess
 * that does not hold is mended, and what cannot be mended is told with its line.
 */
export const prepareCsv = async (
  place: Workplace,
  parts: CsvParts,
  file: CsvFile
): Promise<PreparedSource> => {
  const { blobStore } = parts
  const original = await openSourceBlob(blobStore, file.blobKey)
  const read = async (encoding: TextEncoding): Promise<PreparedSource> => {
    const { key: blobKey, isNew } =
      encoding === 'utf-8'
        ? { key: file.blobKey, isNew: false }
        : await recoded(blobStore, original, encoding)
    try {
      const prepared = await scan(place, parts, file, blobKey)
      const note = encodingNote(encoding, file.options.encoding !== undefined)
      if (note === null || prepared.reader.type !== 'csv') return prepared
      return { ...prepared, reader: { ...prepared.reader, encoding }, notes: [note, ...prepared.notes] }
    } catch (thrown) {
      if (isNew) await blobStore.remove({ key: blobKey })
      throw thrown
    }
  }
  const told = file.options.encoding
  const found = await detectEncoding(original, file.fileName)
  const isWide = told === 'utf-16le' || told === 'utf-16be'
  if (found === null && !isWide) throw noText(file.fileName, 'a binary file', MENDABLE)
  const encoding = told ?? found ?? 'utf-8'
  try {
    try {
      return await read(encoding)
    } catch (thrown) {
      if (told === undefined && found === 'utf-8' && csvComplaint(thrown).kind === 'not-utf8')
        return await read('windows-1252')
      throw thrown
    }
  } catch (thrown) {
    throw brokenCsv(file.fileName, csvComplaint(thrown), thrown, told)
  }
}
