import type { ArrowLayout } from './compute-engine.ts'

/**
 * A file of Arrow pieces that is read again without its layout at hand: each piece is preceded by its length, 8 bytes,
 * little-endian.
 */
const LENGTH_BYTES = 8

const lengthBytes = (length: number): Uint8Array => {
  const bytes = new Uint8Array(LENGTH_BYTES)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  return bytes
}

/** Pieces as a stream of bytes that `arrowPieces` takes apart again. */
export const toArrowFile = (pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await pieces.next()
        if (done === true) {
          controller.close()
          return
        }
        controller.enqueue(lengthBytes(value.length))
        controller.enqueue(value)
      },
      cancel: async () => void (await pieces.return(undefined))
    },
    { highWaterMark: 0 }
  )

const slice = async (blob: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await blob.slice(from, to).arrayBuffer())

/** The pieces of a file that `toArrowFile` wrote, one at a time. */
export const arrowPieces = async function* (blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let offset = 0
  while (offset < blob.size) {
    const head = await slice(blob, offset, offset + LENGTH_BYTES)
    const length = Number(new DataView(head.buffer).getBigUint64(0, true))
    const from = offset + LENGTH_BYTES
    yield await slice(blob, from, from + length)
    offset = from + length
  }
}

/** One piece of a file whose layout is known. */
export const readPiece = (
  blob: Blob,
  { offset, bytes }: ArrowLayout['pieces'][number]
): Promise<Uint8Array> => slice(blob, offset, offset + bytes)
