import { canceledError, throwIfCanceled } from './engine-errors.ts'

/**
 * Waits for work that cannot be stopped, unless it is canceled: then it ends by itself, and what it gives is dropped.
 * @throws FlowForgeError `CANCELED`
 */
export const orCanceled = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  let onAbort = (): void => undefined
  const canceled = new Promise<never>((_, reject) => {
    onAbort = () => reject(canceledError())
    signal.addEventListener('abort', onAbort, { once: true })
  })
  // Whichever comes second is heard by nobody.
  work.catch(() => undefined)
  canceled.catch(() => undefined)
  try {
    throwIfCanceled(signal)
    return await Promise.race([work, canceled])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
