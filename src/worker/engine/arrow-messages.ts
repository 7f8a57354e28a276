import { Message, MessageHeader, RecordBatchStreamWriter } from 'apache-arrow'
import { Footer } from 'apache-arrow/ipc/metadata/file'

/** Bytes of an Arrow message's description; a longer one is none. */
const MOST_HEADER_BYTES = 64 * 1024 * 1024
const MAGIC = 'ARROW1'
const CONTINUATION = 0xffffffff
const END_MARKER = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])

/** A stretch of the file that holds one message, its length marks included. */
type Framed = {
  readonly message: Message
  readonly from: number
  readonly to: number
}

const bytesOf = async (file: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await file.slice(from, to).arrayBuffer())

const textAt = async (file: Blob, from: number): Promise<string> =>
  new TextDecoder('latin1').decode(await bytesOf(file, from, from + MAGIC.length))

const joined = async (parts: readonly Uint8Array<ArrayBufferLike>[]): Promise<Uint8Array<ArrayBuffer>> => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Where the messages lie: a file has marks and a directory around them, a stream nothing. */
const bounds = async (file: Blob): Promise<{ readonly from: number; readonly to: number }> => {
  if ((await textAt(file, 0)) !== MAGIC) return { from: 0, to: file.size }
  if ((await textAt(file, Math.max(8, file.size - MAGIC.length))) !== MAGIC) {
    throw new Error('it is cut off: its end is missing')
  }
  const tail = await bytesOf(file, file.size - 10, file.size - 6)
  const footer = new DataView(tail.buffer).getInt32(0, true)
  const to = file.size - 10 - footer
  if (footer < 0 || to < 8) throw new Error('its directory is damaged')
  return { from: 8, to }
}

/** Some writers leave a file's schema to its directory: there it is read, as the message that a stream begins with. */
const schemaOf = async (file: Blob, directoryAt: number): Promise<Uint8Array> => {
  if (file.size - directoryAt > MOST_HEADER_BYTES) throw new Error('its directory is too large')
  const { schema } = Footer.decode(await bytesOf(file, directoryAt, file.size - 10))
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  writer.finish()
  const bytes = writer.toUint8Array(true)
  // Without what ends the stream behind it.
  return bytes.slice(0, 8 + new DataView(bytes.buffer, bytes.byteOffset).getInt32(4, true))
}

/** The message at a place; null at the end. @throws Error where the file ends before the message does */
const frameAt = async (file: Blob, from: number, to: number): Promise<Framed | null> => {
  if (from === to) return null
  const head = new DataView(await file.slice(from, Math.min(from + 8, to)).arrayBuffer())
  if (head.byteLength < 4) throw new Error('it is cut off')
  const marked = head.getUint32(0, true) === CONTINUATION
  if (marked && head.byteLength < 8) throw new Error('it is cut off')
  // Before version 0.15 the length stood alone.
  const headerBytes = head.getInt32(marked ? 4 : 0, true)
  if (headerBytes === 0) return null
  const start = from + (marked ? 8 : 4)
  if (headerBytes < 0 || headerBytes > MOST_HEADER_BYTES || start + headerBytes > to) {
    throw new Error(
      from === 0 ? 'it does not begin as an Arrow file does' : 'it is cut off, or a length in it is wrong'
    )
  }
  const message = Message.decode(await bytesOf(file, start, start + headerBytes))
  const end = start + headerBytes + message.bodyLength
  if (message.bodyLength < 0 || end > to) throw new Error('it is cut off, or a length in it is wrong')
  return { message, from, to: end }
}

/** One message for each dictionary: a later one takes the place of an earlier one, unless it adds to it. */
type Dictionaries = { id: number; bytes: Uint8Array }[]

const keepDictionary = (known: Dictionaries, message: Message, bytes: Uint8Array): Dictionaries => {
  if (!message.isDictionaryBatch()) return known
  const { id, isDelta } = message.header()
  return [...(isDelta ? known : known.filter((each) => each.id !== id)), { id, bytes }]
}

/**
 * The record batches of an Arrow IPC file or stream, each as a complete stream of its own, read one at a time. Lengths
 * are checked against the file before anything is allocated; what is inside a batch is not checked here.
 * @throws Error that says what is wrong with the file
 */
export const arrowMessages = async function* (
  file: Blob
): AsyncGenerator<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly rows: number }> {
  const { from, to } = await bounds(file)
  let schema: Uint8Array | null = null
  let dictionaries: Dictionaries = []
  let batches = 0
  for (let frame = await frameAt(file, from, to); frame !== null; frame = await frameAt(file, frame.to, to)) {
    const bytes = await bytesOf(file, frame.from, frame.to)
    const { message } = frame
    if (message.headerType === MessageHeader.Schema) {
      schema = bytes
      continue
    }
    if (schema === null && from > 0) schema = await schemaOf(file, to)
    if (schema === null) throw new Error('it does not begin with a schema')
    if (message.isRecordBatch()) {
      const rows = message.header().length
      batches += 1
      yield {
        bytes: await joined([schema, ...dictionaries.map((each) => each.bytes), bytes, END_MARKER]),
        rows
      }
    } else dictionaries = keepDictionary(dictionaries, message, bytes)
  }
  if (schema === null && from > 0) schema = await schemaOf(file, to)
  if (schema === null) throw new Error('it holds no schema')
  if (batches === 0) yield { bytes: await joined([schema, END_MARKER]), rows: 0 }
}
