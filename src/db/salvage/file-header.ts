/** Of a database's file, in bytes. */
export const HEADER = 100
const MAGIC = 'SQLite format 3\0'

/**
 * A database file's first 100 bytes, written anew: what stands in them is known of every database of FlowForge, but for
 * the number of pages, which the file's size tells.
 *
 * @param beginning the file's first bytes, a hundred or more
 * @param size the whole file's, in bytes
 * @param fresh the beginning of any sound one
 */
export const rebuildHeader = (
  beginning: Uint8Array<ArrayBuffer>,
  size: number,
  fresh: Uint8Array
): Uint8Array<ArrayBuffer> => {
  const pageSize = new DataView(fresh.buffer, fresh.byteOffset).getUint16(16)
  const rebuilt = beginning.slice()
  rebuilt.set(fresh.subarray(0, HEADER))
  const view = new DataView(rebuilt.buffer)
  // Whole pages alone; no free list, whose pages would be written over.
  view.setUint32(28, Math.floor(size / pageSize))
  view.setUint32(32, 0)
  view.setUint32(36, 0)
  // The number of pages holds for this change counter.
  view.setUint32(92, view.getUint32(24))
  // Neither a write-ahead log nor a journal belongs to it.
  rebuilt.set([1, 1], 18)
  return rebuilt
}

export const hasHeader = (bytes: Uint8Array): boolean =>
  new TextDecoder('latin1').decode(bytes.subarray(0, MAGIC.length)) === MAGIC
