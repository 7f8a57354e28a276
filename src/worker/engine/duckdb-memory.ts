/**
 * The one number that DuckDB does not tell: how large its memory has grown. A message
 * `{ type: 'flowforge-memory' }` with a port is answered there; everything else is DuckDB's.
 */
let memory: WebAssembly.Memory | undefined

const noteMemory = (exports: WebAssembly.Exports): void => {
  memory = Object.values(exports).find((exported) => exported instanceof WebAssembly.Memory) ?? memory
}

const plainInstantiate = WebAssembly.instantiate
const plainStreaming = WebAssembly.instantiateStreaming

WebAssembly.instantiateStreaming = async (source, imports) => {
  const started = await plainStreaming(source, imports)
  noteMemory(started.instance.exports)
  return started
}
Object.assign(WebAssembly, {
  instantiate: async (source: BufferSource, imports?: WebAssembly.Imports) => {
    const started = await plainInstantiate(source, imports)
    noteMemory(started.instance.exports)
    return started
  }
})

globalThis.addEventListener('message', (event: MessageEvent<unknown>) => {
  const { data, ports } = event
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== 'flowforge-memory')
    return
  event.stopImmediatePropagation()
  ports[0]?.postMessage(memory?.buffer.byteLength ?? 0)
})

/** Makes this a module; what counts is that it runs first. */
export const isListening = true
