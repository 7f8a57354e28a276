import type { MarkColumn } from '../../workflow/row-ids/row-block.ts'
import { rootTable } from './flat-table.ts'

/** A continuation mark and the length of the message's description. */
const PREFIX_BYTES = 8
const NODE_BYTES = 16
const BUFFER_BYTES = 16
/** Fields of Arrow's tables `Message` and `RecordBatch`. */
const HEADER = 2
const BODY_LENGTH = 3
const LENGTH = 0
const NODES = 1
const BUFFERS = 2

type BatchMessage = {
  readonly view: DataView
  /** Where the fields stand, from the message's beginning. */
  readonly lengthAt: number
  readonly bodyLengthAt: number
  readonly nodes: { readonly at: number; readonly length: number }
  readonly buffers: { readonly at: number; readonly length: number }
  readonly bodyAt: number
}

const readBatch = (bytes: Uint8Array): BatchMessage => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const message = rootTable(view, PREFIX_BYTES)
  const batch = message.tableAt(HEADER)
  const lengthAt = batch?.fieldAt(LENGTH)
  const bodyLengthAt = message.fieldAt(BODY_LENGTH)
  if (batch === undefined || lengthAt === undefined || bodyLengthAt === undefined) {
    throw new Error('The engine gave no record batch with rows.')
  }
  return {
    view,
    lengthAt,
    bodyLengthAt,
    nodes: batch.vectorAt(NODES),
    buffers: batch.vectorAt(BUFFERS),
    bodyAt: PREFIX_BYTES + view.getInt32(4, true)
  }
}

const numberAt = (view: DataView, at: number): number => Number(view.getBigInt64(at, true))

/** A column of 32-bit numbers, of which some may be NULL. */
const readMark = (
  { view, nodes, buffers, bodyAt }: BatchMessage,
  node: number,
  buffer: number,
  rows: number
) => {
  const nulls = numberAt(view, nodes.at + node * NODE_BYTES + 8)
  const placeOf = (at: number): number =>
    view.byteOffset + bodyAt + numberAt(view, buffers.at + at * BUFFER_BYTES)
  const from = placeOf(buffer + 1)
  const numbers = new Uint32Array(view.buffer.slice(from, from + rows * 4))
  const known = new Uint8Array(rows).fill(1)
  if (nulls > 0) {
    const bits = new Uint8Array(view.buffer, placeOf(buffer))
    for (let row = 0; row < rows; row += 1) known[row] = ((bits[row >> 3] ?? 0) >> (row & 7)) & 1
  }
  return { numbers, known }
}

export type CutBatch = {
  readonly bytes: Uint8Array
  readonly rows: number
  readonly marks: readonly MarkColumn[]
}

/**
 * Takes the marks, 32-bit numbers without a sign that are the last columns, off record batches. What is left is, byte
 * for byte, what the engine says without them: `template`, a batch of the same columns with one row, is how it says it.
 * The batch's own memory is used for it.
 */
export const createCutting = (template: Uint8Array, marks: number): ((bytes: Uint8Array) => CutBatch) => {
  const plain = readBatch(template)
  return (bytes) => {
    const marked = readBatch(bytes)
    const rows = numberAt(marked.view, marked.lengthAt)
    const [nodes, buffers] = [plain.nodes.length, plain.buffers.length]
    if (marked.nodes.length !== nodes + marks || marked.buffers.length !== buffers + 2 * marks) {
      throw new Error('A batch with marks has other columns than one without.')
    }
    const columns = Array.from({ length: marks }, (_, at) =>
      readMark(marked, nodes + at, buffers + 2 * at, rows)
    )
    const bodyBytes = numberAt(marked.view, marked.buffers.at + buffers * BUFFER_BYTES)
    const head = template.slice(0, plain.bodyAt)
    const view = new DataView(head.buffer)
    view.setBigInt64(plain.lengthAt, BigInt(rows), true)
    view.setBigInt64(plain.bodyLengthAt, BigInt(bodyBytes), true)
    head.set(bytes.subarray(marked.nodes.at, marked.nodes.at + nodes * NODE_BYTES), plain.nodes.at)
    head.set(bytes.subarray(marked.buffers.at, marked.buffers.at + buffers * BUFFER_BYTES), plain.buffers.at)
    // Without marks a batch's description is the shorter one: it ends where the longer one did.
    const from = marked.bodyAt - head.length
    bytes.set(head, from)
    return { bytes: bytes.subarray(from, marked.bodyAt + bodyBytes), rows, marks: columns }
  }
}
