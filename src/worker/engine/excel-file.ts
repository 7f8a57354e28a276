import { FlowForgeError } from '../../db/ports.ts'
import { canceledError, throwIfCanceled } from './engine-errors.ts'
import type { Place } from './excel-parts.ts'
import { cutRange, type SheetRange } from './excel-range.ts'
import type { ExcelAnswer } from './excel-worker.ts'
import { readZipDirectory } from './zip-directory.ts'

/** What a workbook may unfold to: beyond it, it does not fit into memory, or was made to break programs. */
const MOST_UNPACKED_BYTES = 1024 * 1024 * 1024

const refuse = (fileName: string, message: string, reason: string): FlowForgeError =>
  new FlowForgeError('INVALID_INPUT', `"${fileName}" ${message}`, { fileName, line: 0, reason })

/** @throws FlowForgeError `INVALID_INPUT` for what is no workbook that can be read */
export const checkWorkbook = async (blob: Blob, fileName: string): Promise<void> => {
  if (blob.size === 0)
    throw refuse(fileName, 'is empty: it has no bytes. Check where it was written.', 'empty')
  const head = new Uint8Array(await blob.slice(0, 4).arrayBuffer())
  if (head[0] === 0xd0 && head[1] === 0xcf) {
    const message =
      'is protected by a password, or an old .xls file. Open it in Excel and save it as .xlsx without a password.'
    throw refuse(fileName, message, 'protected-or-xls')
  }
  if (head[0] !== 0x50 || head[1] !== 0x4b)
    throw refuse(fileName, 'is not an Excel workbook (.xlsx).', 'not-excel')
  const entries = await readZipDirectory(blob)
  if (entries === null) throw refuse(fileName, 'is cut off or damaged: its end is missing.', 'broken')
  const unpacked = entries.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0)
  if (unpacked > MOST_UNPACKED_BYTES) {
    const message = `would unpack to ${Math.round(unpacked / 1024 / 1024)} MB, more than fits. Save the sheet as CSV and import that.`
    throw refuse(fileName, message, 'too-large')
  }
}

/** Asks a worker of its own for a workbook's sheet, and ends it. */
const askWorker = (blob: Blob, sheet: string | undefined, signal: AbortSignal): Promise<ExcelAnswer> => {
  const worker = new Worker(new URL('./excel-worker.ts', import.meta.url), { type: 'module', name: 'excel' })
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise<ExcelAnswer>((resolve, reject) => {
    port1.addEventListener('message', ({ data }: MessageEvent<ExcelAnswer>) => resolve(data))
    worker.addEventListener('error', ({ message }) => resolve({ ok: false, reason: 'broken', message }))
    signal.addEventListener('abort', () => reject(canceledError()), { once: true })
    port1.start()
    worker.postMessage(sheet === undefined ? { file: blob } : { file: blob, sheet }, [port2])
  })
  return answer.finally(() => {
    port1.close()
    worker.terminate()
  })
}

export type Sheet = Extract<ExcelAnswer, { ok: true }>

const inRange = <P extends Place>(places: readonly P[], { top, left, bottom, right }: SheetRange): P[] =>
  places
    .filter(({ row, column }) => row >= top && row <= bottom && column >= left && column <= right)
    .map((place) => ({ ...place, row: place.row - top, column: place.column - left }))

const partOf = (sheet: Sheet, range: SheetRange): Sheet => ({
  ...sheet,
  rows: cutRange(sheet.rows, range),
  errors: inRange(sheet.errors, range),
  datesAsText: inRange(sheet.datesAsText, range)
})

/**
 * Reads a sheet, or a range of it.
 * @throws FlowForgeError `INVALID_INPUT` for a broken file or an unknown sheet, `CANCELED`
 */
export const readSheet = async (
  blob: Blob,
  {
    fileName,
    sheet,
    range
  }: {
    readonly fileName: string
    readonly sheet: string | undefined
    readonly range: SheetRange | undefined
  },
  signal: AbortSignal
): Promise<Sheet> => {
  throwIfCanceled(signal)
  await checkWorkbook(blob, fileName)
  const answer = await askWorker(blob, sheet, signal)
  if (answer.ok) return range === undefined ? answer : partOf(answer, range)
  if (answer.reason === 'no-sheet') {
    const message = `has no sheet "${sheet}". There are: ${answer.sheets.join(', ')}.`
    throw refuse(fileName, message, 'unknown-sheet')
  }
  throw refuse(fileName, `cannot be read as an Excel workbook (${answer.message}).`, 'broken')
}
