import { createSHA256 } from 'hash-wasm'
import type { FileStore } from './file-store.ts'

/** Files in memory, for the adapter over memory. */
export const memoryFileStore = (): FileStore => {
  const files = new Map<string, Blob>()
  return {
    stage: async (stream) => {
      const hash = await createSHA256()
      const chunks: Uint8Array<ArrayBuffer>[] = []
      for await (const chunk of stream) {
        hash.update(chunk)
        chunks.push(new Uint8Array(chunk))
      }
      const blob = new Blob(chunks)
      const sha256 = hash.digest('hex')
      return {
        name: sha256,
        size: blob.size,
        sha256,
        keep: async () => {
          files.set(sha256, blob)
        }
      }
    },
    open: async (name) => files.get(name) ?? null,
    remove: async (name) => {
      files.delete(name)
    },
    names: async () => [...files.keys()],
    sweep: async (named) => {
      for (const name of files.keys()) if (!named.has(name)) files.delete(name)
    }
  }
}
