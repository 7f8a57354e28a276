/** A file in a ZIP file, as its directory names it. */
export type ZipEntry = {
  readonly name: string
  /** 0: as it is; 8: deflated. */
  readonly method: number
  readonly packedBytes: number
  /** As the directory says; a hostile file may say anything. */
  readonly unpackedBytes: number
  /** Where its own header begins. */
  readonly offset: number
}

const TAIL_BYTES = 66_000
const END_OF_DIRECTORY = 0x06054b50
const ENTRY = 0x02014b50
const ENTRY_BYTES = 46
const HEADER_BYTES = 30

const viewOf = async (blob: Blob, from: number, to: number): Promise<DataView> =>
  new DataView(await blob.slice(from, to).arrayBuffer())

/** The files in a ZIP file; null where its directory cannot be found. */
export const readZipDirectory = async (blob: Blob): Promise<readonly ZipEntry[] | null> => {
  const tail = await viewOf(blob, Math.max(0, blob.size - TAIL_BYTES), blob.size)
  let end = tail.byteLength - 22
  while (end >= 0 && tail.getUint32(end, true) !== END_OF_DIRECTORY) end -= 1
  if (end < 0) return null
  const size = tail.getUint32(end + 12, true)
  const start = tail.getUint32(end + 16, true)
  const directory = await viewOf(blob, start, start + size)
  const decoder = new TextDecoder()
  const entries: ZipEntry[] = []
  for (let at = 0; at + ENTRY_BYTES <= directory.byteLength && directory.getUint32(at, true) === ENTRY;) {
    const nameBytes = directory.getUint16(at + 28, true)
    const nameEnd = Math.min(at + ENTRY_BYTES + nameBytes, directory.byteLength)
    entries.push({
      name: decoder.decode(directory.buffer.slice(at + ENTRY_BYTES, nameEnd)),
      method: directory.getUint16(at + 10, true),
      packedBytes: directory.getUint32(at + 20, true),
      unpackedBytes: directory.getUint32(at + 24, true),
      offset: directory.getUint32(at + 42, true)
    })
    at += ENTRY_BYTES + nameBytes + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true)
  }
  return entries
}

/** The text of a file in a ZIP file, unpacked as it is read. */
export const zipEntryText = async (
  blob: Blob,
  { method, packedBytes, offset }: ZipEntry
): Promise<ReadableStream<string>> => {
  const header = await viewOf(blob, offset, offset + HEADER_BYTES)
  const from = offset + HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true)
  const packed = blob.slice(from, from + packedBytes).stream()
  const unpacked = method === 0 ? packed : packed.pipeThrough(new DecompressionStream('deflate-raw'))
  return unpacked.pipeThrough(new TextDecoderStream())
}
