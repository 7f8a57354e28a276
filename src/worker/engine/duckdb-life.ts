/**
 * A worker that is ended, or that the browser kills for its memory, tells nobody. So it holds a lock of its own name
 * for as long as it lives: whoever waits for that lock gets it when the worker is gone. A message
 * `{ type: 'flowforge-life' }` with a port is answered once the lock is held.
 */
const held = new Promise<void>((resolve) => {
  void navigator.locks.request(globalThis.name, () => {
    resolve()
    return new Promise<never>(() => undefined)
  })
})

globalThis.addEventListener('message', (event: MessageEvent<unknown>) => {
  const { data, ports } = event
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== 'flowforge-life') return
  event.stopImmediatePropagation()
  void held.then(() => ports[0]?.postMessage(true))
})

/** Makes this a module; what counts is that it runs first. */
export const isAlive = true
