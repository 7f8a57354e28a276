import { FlowForgeError } from '../flowforge-error.ts'

/** Lets messages in that have arrived, so that long work holds nobody up for long. */
export const letOthersGo = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })

/** @throws FlowForgeError `CANCELED` */
export const expectWanted = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true) throw new FlowForgeError('CANCELED', 'It was canceled; nothing was changed.')
}

/** A turn of long work: others go first, and a canceled one ends. */
export const nextTurn = async (signal: AbortSignal | undefined): Promise<void> => {
  await letOthersGo()
  expectWanted(signal)
}
