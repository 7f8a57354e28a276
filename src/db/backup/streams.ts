import { letOthersGo, nextTurn } from './turns.ts'

/** Pieces as a stream: each is made when it is asked for, after what else there was to be heard. */
export const toStream = (chunks: Generator<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array> =>
  new ReadableStream({
    pull: async (controller) => {
      await letOthersGo()
      const next = chunks.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    cancel: () => void chunks.return(undefined)
  })

/** Pieces with turns for others between them. */
export async function* inTurns(
  chunks: Generator<Uint8Array<ArrayBuffer>>,
  signal?: AbortSignal
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const chunk of chunks) {
    yield chunk
    await nextTurn(signal)
  }
}
