import { FlowForgeError } from '../../db/ports.ts'
import type { Column } from '../../workflow/value-type.ts'
import { readPiece } from './arrow-file.ts'
import { batchesIn } from './arrow-pieces.ts'
import { cellReaders, type CellReader } from './arrow-rows.ts'
import type { ArrowLayout } from './compute-engine.ts'
import { csvCell, csvHeader } from './csv-text.ts'
import { jsonMember } from './json-text.ts'
import { toXlsx } from './xlsx-writing.ts'

export type FileFormat = 'csv' | 'json' | 'xlsx'

/** Rows of an artifact, as they lie in the blob store. */
export type StoredTable = {
  readonly blob: Blob
  readonly layout: ArrowLayout
  readonly columns: readonly Column[]
}

export const MEDIA_TYPES: Readonly<Record<FileFormat, string>> = {
  csv: 'text/csv;charset=utf-8',
  json: 'application/json',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
}

/** Text is passed on in chunks of about this many characters. */
const CHUNK_CHARACTERS = 1024 * 1024

export type BatchReaders = { readonly rows: number; readonly readers: readonly CellReader[] }

/** A table's batches, one piece in memory at a time. */
export const tableBatches = async function* ({
  blob,
  layout,
  columns
}: StoredTable): AsyncGenerator<BatchReaders> {
  for (const piece of layout.pieces) {
    // oxlint-disable-next-line no-await-in-loop -- one piece in memory at a time
    for (const batch of batchesIn(await readPiece(blob, piece))) {
      yield { rows: batch.numRows, readers: cellReaders(batch, columns) }
    }
  }
}

const csvText = async function* (table: StoredTable): AsyncGenerator<string> {
  let text = csvHeader(table.columns)
  for await (const { rows, readers } of tableBatches(table)) {
    for (let row = 0; row < rows; row += 1) {
      let line = ''
      for (const [at, read] of readers.entries())
        line += (at === 0 ? '' : ',') + csvCell(read(row), readers.length)
      text += `${line}\n`
      if (text.length > CHUNK_CHARACTERS) {
        yield text
        text = ''
      }
    }
  }
  yield text
}

const jsonText = async function* (table: StoredTable): AsyncGenerator<string> {
  const keys = table.columns.map(({ name }) => `${JSON.stringify(name)}:`)
  let text = '['
  let first = true
  for await (const { rows, readers } of tableBatches(table)) {
    for (let row = 0; row < rows; row += 1) {
      const members = table.columns.map(
        ({ type }, at) => keys[at] + jsonMember(readers[at]?.(row) ?? null, type)
      )
      text += `${first ? '' : ','}\n{${members.join(',')}}`
      first = false
      if (text.length > CHUNK_CHARACTERS) {
        yield text
        text = ''
      }
    }
  }
  yield `${text}${first ? '' : '\n'}]\n`
}

const encoded = (parts: AsyncGenerator<string>): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await parts.next()
        if (done === true) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      cancel: async () => void (await parts.return(undefined))
    },
    { highWaterMark: 0 }
  )
}

/** What a sheet can hold. */
const SHEET_ROWS = 1_048_576
const SHEET_COLUMNS = 16_384

const checkFitsSheet = ({ layout, columns }: StoredTable): void => {
  const rows = layout.pieces.reduce((sum, piece) => sum + piece.rows, 0)
  if (rows + 1 <= SHEET_ROWS && columns.length <= SHEET_COLUMNS) return
  const message =
    rows + 1 > SHEET_ROWS
      ? `An Excel sheet holds ${SHEET_ROWS - 1} rows under its header, and these are ${rows}. Write CSV, or filter the rows first.`
      : `An Excel sheet holds ${SHEET_COLUMNS} columns, and these are ${columns.length}. Write CSV, or drop columns first.`
  throw new FlowForgeError('INVALID_INPUT', message, { reason: 'sheet-full', rows, columns: columns.length })
}

/**
 * An artifact's rows as a file, with every digit of integers and decimals.
 * @throws FlowForgeError `INVALID_INPUT` where the format cannot hold them
 */
export const toFile = async (table: StoredTable, format: FileFormat): Promise<ReadableStream<Uint8Array>> => {
  switch (format) {
    case 'csv':
      return encoded(csvText(table))
    case 'json':
      return encoded(jsonText(table))
    case 'xlsx':
      checkFitsSheet(table)
      return (await toXlsx(table)).stream()
  }
}
