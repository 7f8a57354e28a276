/** How long a worker may be deaf to what it is told. */
const BREATH_MS = 30

/** Lets everything in that waits to be heard; a timer would take 4 ms for it. */
const aTurn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(null)
  })

/** For work that waits for nothing: called often, it makes way for a cancel or a question now and then. */
export const createBreath = (): (() => Promise<void>) => {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < BREATH_MS) return
    await aTurn()
    last = performance.now()
  }
}
