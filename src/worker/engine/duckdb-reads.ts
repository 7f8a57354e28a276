/**
 * How much of its files DuckDB has read: a query says nothing of itself before its first row, which for an aggregate of a
 * large file is long. Whoever passes a port with a message `{ type: 'flowforge-reads' }` is told there, a few times a
 * second, also while a query holds the worker.
 */
const INTERVAL_MS = 200

let listener: MessagePort | undefined
let bytes = 0
let told = 0

const plainRead = FileReaderSync.prototype.readAsArrayBuffer
FileReaderSync.prototype.readAsArrayBuffer = function (this: FileReaderSync, blob: Blob): ArrayBuffer {
  bytes += blob.size
  const now = performance.now()
  if (now - told >= INTERVAL_MS) {
    told = now
    listener?.postMessage(bytes)
  }
  return plainRead.call(this, blob)
}

globalThis.addEventListener('message', (event: MessageEvent<unknown>) => {
  const { data, ports } = event
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== 'flowforge-reads')
    return
  event.stopImmediatePropagation()
  listener = ports[0]
})

/** Makes this a module; what counts is that it runs first. */
export const isCounting = true
