import { FlowForgeError } from '../../db/ports.ts'
import type { SinkFormat } from '../../workflow/nodes/sink.ts'
import { arrowFileBytes } from './arrow-file-writing.ts'
import { columnVector } from './arrow-rows.ts'
import { columnarChunks } from './columnar-file.ts'
import { createByteWriter, csvCellWriter, putComma, putLineFeed, putText } from './csv-bytes.ts'
import { csvHeader } from './csv-text.ts'
import { jsonMember } from './json-text.ts'
import { createBreath } from './breath.ts'
import { createLosses, type Losses } from './sink-losses.ts'
import { batchesOf, tableBatches, type StoredTable } from './stored-table.ts'
import { toXlsx } from './xlsx-file.ts'

/** Files are passed on in chunks of about this size. */
const CHUNK_BYTES = 1024 * 1024

const csvBytes = async function* (
  table: StoredTable,
  losses: Losses,
  escapes: boolean
): AsyncGenerator<Uint8Array> {
  const { columns } = table
  const options = { columns: columns.length, losses: escapes ? losses : null }
  const writer = createByteWriter(2 * CHUNK_BYTES)
  putText(writer, csvHeader(columns, escapes))
  const taken = (): Uint8Array => {
    const chunk = writer.bytes.slice(0, writer.length)
    writer.length = 0
    return chunk
  }
  for await (const batch of batchesOf(table)) {
    const cells = columns.map((column, at) =>
      csvCellWriter(writer, columnVector(batch, column, at), column, options)
    )
    for (let row = 0; row < batch.numRows; row += 1) {
      for (let at = 0; at < cells.length; at += 1) {
        if (at > 0) putComma(writer)
        cells[at]?.(row)
      }
      putLineFeed(writer)
      if (writer.length > CHUNK_BYTES) yield taken()
    }
  }
  if (writer.length > 0) yield taken()
}

/** Where rows stand in a JSON file, and in one with a row a line. */
const JSON_MARKS = {
  json: { open: '[', between: ',\n', first: '\n', close: ']\n', last: '\n]\n' },
  ndjson: { open: '', between: '\n', first: '', close: '', last: '\n' }
} as const

const jsonBytes = async function* (
  table: StoredTable,
  losses: Losses,
  format: 'json' | 'ndjson'
): AsyncGenerator<Uint8Array> {
  const marks = JSON_MARKS[format]
  const encoder = new TextEncoder()
  const keys = table.columns.map(({ name }) => `${JSON.stringify(name)}:`)
  let text: string = marks.open
  let first = true
  for await (const { rows, readers } of tableBatches(table)) {
    for (let row = 0; row < rows; row += 1) {
      const members = table.columns.map(
        (column, at) => keys[at] + jsonMember(readers[at]?.(row) ?? null, column, losses)
      )
      text += `${first ? marks.first : marks.between}{${members.join(',')}}`
      first = false
      if (text.length > CHUNK_BYTES) {
        yield encoder.encode(text)
        text = ''
      }
    }
  }
  yield encoder.encode(text + (first ? marks.close : marks.last))
}

const toStream = (chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> => {
  const breathe = createBreath()
  return new ReadableStream(
    {
      pull: async (controller) => {
        // Neither making the bytes nor storing them waits for anything: nobody else would be heard meanwhile.
        await breathe()
        const { done, value } = await chunks.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      cancel: async () => void (await chunks.return(undefined))
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

const parquetBytes = async function* (
  { blob, layout }: StoredTable,
  signal: AbortSignal | undefined
): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of columnarChunks({ type: 'write-parquet', table: blob, layout }, signal))
    yield bytes
}

/** Integers of more than 64 bits have left the engine as text already. */
const noteHugeIntegers = ({ layout, columns }: StoredTable, losses: Losses): void => {
  if (layout.pieces.every(({ rows }) => rows === 0)) return
  for (const { name, engineType } of columns)
    if (engineType.endsWith('HUGEINT')) losses.note('huge-integer', name)
}

export type FileWish = {
  readonly format: SinkFormat
  /** Of CSV: are texts that a spreadsheet would run written as they are? */
  readonly keepsFormulas?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Told what the format could not hold as it was; complete when the stream has ended. */
  readonly losses?: Losses | undefined
}

/**
 * An artifact's rows as a file, with every digit of integers and decimals.
 * @throws FlowForgeError `INVALID_INPUT` where the format cannot hold them
 */
export const toFile = async (
  table: StoredTable,
  { format, keepsFormulas = false, signal, losses = createLosses() }: FileWish
): Promise<ReadableStream<Uint8Array>> => {
  switch (format) {
    case 'csv':
      return toStream(csvBytes(table, losses, !keepsFormulas))
    case 'json':
    case 'ndjson':
      return toStream(jsonBytes(table, losses, format))
    case 'parquet':
      noteHugeIntegers(table, losses)
      return toStream(parquetBytes(table, signal))
    case 'arrow':
      noteHugeIntegers(table, losses)
      return toStream(arrowFileBytes(batchesOf(table)))
    case 'xlsx':
      checkFitsSheet(table)
      return (await toXlsx(table, losses, signal)).stream()
  }
}
