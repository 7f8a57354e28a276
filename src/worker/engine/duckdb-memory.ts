/**
 * The one number that DuckDB does not tell: how large its memory has grown. A message
 * `{ type: 'flowforge-memory' }` with a port is answered there; everything else is DuckDB's.
 */
let memory: WebAssembly.Memory | undefined

/**
 * DuckDB makes its memory itself and passes it in as `env.memory`; nothing else of the imports may be looked at: those
 * named GOT make an entry of whatever they are asked for.
 */
const noteMemory = (imports: WebAssembly.Imports | undefined): void => {
  const passed = imports?.['env']?.['memory']
  if (passed instanceof WebAssembly.Memory) memory = passed
}

const plainInstantiate = WebAssembly.instantiate
const plainStreaming = WebAssembly.instantiateStreaming

WebAssembly.instantiateStreaming = (source, imports) => {
  noteMemory(imports)
  return plainStreaming(source, imports)
}
Object.assign(WebAssembly, {
  instantiate: (source: BufferSource, imports?: WebAssembly.Imports) => {
    noteMemory(imports)
    return plainInstantiate(source, imports)
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
