import { DataType, MessageReader, type Schema } from 'apache-arrow'

/** Of a record batch's header; the library has them and does not export them. */
type FieldNode = { readonly length: number; readonly nullCount: number }
type BufferRegion = { readonly offset: number; readonly length: number }

/** A continuation mark and the length of the message's metadata. */
const PREFIX_BYTES = 8

/** Bytes of one value of a type whose values all have the same size; undefined for all other types. */
const widthOf = (type: DataType): number | undefined => {
  if (DataType.isInt(type) || DataType.isDecimal(type) || DataType.isTime(type)) return type.bitWidth / 8
  if (DataType.isFloat(type)) return [2, 4, 8][type.precision]
  if (DataType.isDate(type)) return [4, 8][type.unit]
  if (DataType.isInterval(type)) return [4, 8, 16][type.unit]
  if (DataType.isFixedSizeBinary(type)) return type.byteWidth
  return DataType.isTimestamp(type) || DataType.isDuration(type) ? 8 : undefined
}

/** Is there a value in a slot? */
type Holds = (slot: number) => boolean
const everySlot: Holds = () => true

type Batch = {
  readonly body: Uint8Array
  readonly nodes: Iterator<FieldNode>
  readonly buffers: Iterator<BufferRegion>
}

const nextBuffer = ({ body, buffers }: Batch): Uint8Array => {
  const region = buffers.next().value as BufferRegion | undefined
  if (region === undefined) throw new Error('A record batch has fewer buffers than its schema.')
  return body.subarray(region.offset, region.offset + region.length)
}

const clearSlots = (values: Uint8Array, width: number, slots: number, holds: Holds): void => {
  if (holds !== everySlot) {
    for (let slot = 0; slot < slots; slot += 1) {
      if (!holds(slot)) values.fill(0, slot * width, (slot + 1) * width)
    }
  }
  values.fill(0, slots * width)
}

const clearBits = (bits: Uint8Array, slots: number, holds: Holds): void => {
  for (let slot = 0; slot < bits.length * 8; slot += 1) {
    if (slot < slots && holds(slot)) continue
    bits[slot >> 3] = (bits[slot >> 3] ?? 0) & ~(1 << (slot & 7))
  }
}

/** Clears one column and what is nested in it; false where its form is not known, so that what follows cannot be found. */
const clearColumn = (batch: Batch, type: DataType, above: Holds): boolean => {
  const node = batch.nodes.next().value as FieldNode | undefined
  if (node === undefined) throw new Error('A record batch has fewer columns than its schema.')
  const slots = Number(node.length)
  if (DataType.isNull(type)) return true
  if (DataType.isUnion(type) || DataType.isDictionary(type)) return false
  const valid = nextBuffer(batch)
  const isSparse = Number(node.nullCount) > 0 && valid.length > 0
  const own: Holds = (slot) => ((valid[slot >> 3] ?? 0) & (1 << (slot & 7))) !== 0
  const holds: Holds = !isSparse ? above : above === everySlot ? own : (slot) => own(slot) && above(slot)
  if (valid.length > 0) clearBits(valid.subarray(slots >> 3), slots & 7, everySlot)
  const width = widthOf(type)
  if (width !== undefined) {
    clearSlots(nextBuffer(batch), width, slots, holds)
    return true
  }
  if (DataType.isBool(type)) {
    clearBits(nextBuffer(batch), slots, holds)
    return true
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    // A slot without a value has no bytes.
    nextBuffer(batch)
    nextBuffer(batch)
    return true
  }
  if (DataType.isStruct(type)) {
    return type.children.every((child) => clearColumn(batch, child.type as DataType, holds))
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    nextBuffer(batch)
    return type.children.every((child) => clearColumn(batch, child.type as DataType, everySlot))
  }
  if (DataType.isFixedSizeList(type)) {
    const { listSize, children } = type
    return children.every((child) =>
      clearColumn(batch, child.type as DataType, (slot) => holds(Math.floor(slot / listSize)))
    )
  }
  return false
}

/** Clears what stands between the buffers, so that each begins at a round address. */
const clearGaps = (body: Uint8Array, regions: readonly BufferRegion[]): void => {
  let end = 0
  for (const { offset, length } of regions) {
    body.fill(0, end, offset)
    end = offset + length
  }
  body.fill(0, end)
}

/** The schema that begins an Arrow IPC stream. */
export const schemaOf = (bytes: Uint8Array): Schema => {
  const schema = new MessageReader(bytes).readSchema() ?? undefined
  if (schema === undefined) throw new Error('The engine gave no schema.')
  return schema
}

/**
 * Clears, in place, what record batches hold beside their values: a slot that is NULL keeps whatever stood in the
 * engine's memory, addresses among it, and so equal rows would have other bytes each time.
 */
export const clearRemains = (schema: Schema, bytes: Uint8Array): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const reader = new MessageReader(bytes)
  let at = 0
  for (const message of reader) {
    const start = at + PREFIX_BYTES + view.getInt32(at + 4, true)
    const body = bytes.subarray(start, start + message.bodyLength)
    at = start + message.bodyLength
    reader.readMessageBody(message.bodyLength)
    if (!message.isRecordBatch()) continue
    const { nodes, buffers } = message.header()
    clearGaps(body, buffers)
    const batch = { body, nodes: nodes.values(), buffers: buffers.values() }
    schema.fields.every(({ type }) => clearColumn(batch, type as DataType, everySlot))
  }
}
