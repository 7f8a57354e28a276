import { FlowForgeError } from '../../db/ports.ts'
import type { TextEncoding } from '../../workflow/data-source/csv-reading.ts'

const HEAD_BYTES = 64 * 1024

const startsWith = (bytes: Uint8Array, ...mark: number[]): boolean =>
  mark.every((byte, index) => bytes[index] === byte)

/** Kinds of files that people drop by mistake, by their first bytes. */
const SIGNATURES: readonly (readonly [string, readonly number[]])[] = [
  ['a ZIP or Excel file', [0x50, 0x4b, 0x03, 0x04]],
  ['a PDF', [0x25, 0x50, 0x44, 0x46]],
  ['a PNG image', [0x89, 0x50, 0x4e, 0x47]],
  ['a JPEG image', [0xff, 0xd8, 0xff]],
  ['a GIF image', [0x47, 0x49, 0x46, 0x38]],
  ['a compressed file (gzip)', [0x1f, 0x8b]],
  ['a Parquet file', [0x50, 0x41, 0x52, 0x31]],
  ['an old Excel file', [0xd0, 0xcf, 0x11, 0xe0]]
]

/** The refusal of a file that is no text. */
export const noText = (
  fileName: string,
  what = 'a binary file',
  details: Readonly<Record<string, unknown>> = {}
): FlowForgeError =>
  new FlowForgeError('INVALID_INPUT', `"${fileName}" is ${what}, not a text file with rows.`, {
    fileName,
    line: 1,
    reason: 'binary',
    ...details
  })

/** Text in UTF-16 without a mark: mostly Latin, so that every second byte is 0. */
const unmarkedUtf16 = (head: Uint8Array): TextEncoding | null => {
  const zeros = [0, 0]
  head.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1
  })
  const [even = 0, odd = 0] = zeros
  const half = head.length / 2
  if (odd > half * 0.4 && even < half * 0.05) return 'utf-16le'
  if (even > half * 0.4 && odd < half * 0.05) return 'utf-16be'
  return null
}

/**
 * The encoding that a file's beginning speaks of. Windows-1252 shows itself only where UTF-8 breaks, perhaps late:
 * whoever scans the file finds that. Null where it looks like none: a binary file, or UTF-16 without a mark in letters
 * that are not Latin.
 * @throws FlowForgeError `INVALID_INPUT` for a file without bytes and for one of a known kind that is no text
 */
export const detectEncoding = async (blob: Blob, fileName: string): Promise<TextEncoding | null> => {
  if (blob.size === 0) {
    const message = `"${fileName}" is empty: it has no bytes. Check where it was written.`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName, line: 1, reason: 'empty' })
  }
  const head = new Uint8Array(await blob.slice(0, HEAD_BYTES).arrayBuffer())
  if (startsWith(head, 0xef, 0xbb, 0xbf)) return 'utf-8'
  if (startsWith(head, 0xff, 0xfe)) return 'utf-16le'
  if (startsWith(head, 0xfe, 0xff)) return 'utf-16be'
  const known = SIGNATURES.find(([, mark]) => startsWith(head, ...mark))
  if (known !== undefined) throw noText(fileName, known[0])
  const utf16 = unmarkedUtf16(head)
  if (utf16 !== null) return utf16
  return head.includes(0) ? null : 'utf-8'
}

/** Is all of it UTF-8? Reads to the first byte that is not. */
export const isUtf8 = async (blob: Blob): Promise<boolean> => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of chunksOf(blob)) decoder.decode(chunk, { stream: true })
    decoder.decode()
    return true
  } catch (thrown) {
    if (thrown instanceof TypeError) return false
    throw thrown
  }
}

/** A blob's bytes, chunk by chunk. */
export const chunksOf = async function* (blob: Blob): AsyncGenerator<Uint8Array> {
  const reader = blob.stream().getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel()
  }
}

/** The same text in UTF-8, without a mark. */
export const toUtf8 = (blob: Blob, encoding: TextEncoding): ReadableStream<Uint8Array> => {
  const decoder = new TextDecoder(encoding)
  const encoder = new TextEncoder()
  const recode = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) =>
      controller.enqueue(encoder.encode(decoder.decode(chunk, { stream: true }))),
    flush: (controller) => controller.enqueue(encoder.encode(decoder.decode()))
  })
  return blob.stream().pipeThrough(recode)
}

/** For the person; null for what needs no mention. */
export const encodingNote = (encoding: TextEncoding, isTold = false): string | null => {
  switch (encoding) {
    case 'utf-8':
      return null
    case 'utf-16le':
    case 'utf-16be':
      return 'Read as UTF-16.'
    case 'windows-1252':
      return isTold ? 'Read as Windows-1252.' : 'Read as Windows-1252, because it is not UTF-8.'
  }
}
