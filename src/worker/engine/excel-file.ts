import { FlowForgeError } from '../../db/ports.ts'
import { canceledError, throwIfCanceled } from './engine-errors.ts'
import type { ExcelAnswer } from './excel-worker.ts'

/** What a workbook may unfold to: beyond it, it does not fit into memory, or was made to break programs. */
const MOST_UNPACKED_BYTES = 1024 * 1024 * 1024
const TAIL_BYTES = 66_000
const END_OF_DIRECTORY = 0x06054b50
const ENTRY = 0x02014b50
const ENTRY_BYTES = 46

const refuse = (fileName: string, message: string, reason: string): FlowForgeError =>
  new FlowForgeError('INVALID_INPUT', `"${fileName}" ${message}`, { fileName, line: 0, reason })

const viewOf = async (blob: Blob, from: number, to: number): Promise<DataView> =>
  new DataView(await blob.slice(from, to).arrayBuffer())

/** Bytes that a ZIP file says it unpacks to; null where its directory cannot be found. */
const unpackedBytes = async (blob: Blob): Promise<number | null> => {
  const start = Math.max(0, blob.size - TAIL_BYTES)
  const tail = await viewOf(blob, start, blob.size)
  let end = tail.byteLength - 22
  while (end >= 0 && tail.getUint32(end, true) !== END_OF_DIRECTORY) end -= 1
  if (end < 0) return null
  const size = tail.getUint32(end + 12, true)
  const offset = tail.getUint32(end + 16, true)
  const directory = await viewOf(blob, offset, offset + size)
  let total = 0
  for (let at = 0; at + ENTRY_BYTES <= directory.byteLength && directory.getUint32(at, true) === ENTRY;) {
    total += directory.getUint32(at + 24, true)
    at +=
      ENTRY_BYTES +
      directory.getUint16(at + 28, true) +
      directory.getUint16(at + 30, true) +
      directory.getUint16(at + 32, true)
  }
  return total
}

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
  const unpacked = await unpackedBytes(blob)
  if (unpacked === null) throw refuse(fileName, 'is cut off or damaged: its end is missing.', 'broken')
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

/** @throws FlowForgeError `INVALID_INPUT` for a broken file or an unknown sheet, `CANCELED` */
export const readSheet = async (
  blob: Blob,
  { fileName, sheet }: { readonly fileName: string; readonly sheet: string | undefined },
  signal: AbortSignal
): Promise<Sheet> => {
  throwIfCanceled(signal)
  await checkWorkbook(blob, fileName)
  const answer = await askWorker(blob, sheet, signal)
  if (answer.ok) return answer
  if (answer.reason === 'no-sheet') {
    const message = `has no sheet "${sheet}". There are: ${answer.sheets.join(', ')}.`
    throw refuse(fileName, message, 'unknown-sheet')
  }
  throw refuse(fileName, `cannot be read as an Excel workbook (${answer.message}).`, 'broken')
}
