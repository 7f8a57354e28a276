import type { Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { FlowForgeError } from '../flowforge-error.ts'
import type { SqliteDatabase } from './sqlite-database.ts'

/** How much is in memory at a time, in bytes. */
const CHUNK = 1024 * 1024

type Methods = {
  readonly size: () => number
  readonly read: (into: number, bytes: number, at: number) => number
}

/** SQLite's own methods of the file under a connection: they read bytes and make no sense of them. */
const methodsOf = ({ capi, wasm }: Sqlite3Static, handle: SqliteDatabase['handle']): Methods => {
  const slot = wasm.allocPtr(1)
  try {
    const found: number = capi.sqlite3_file_control(handle, 'main', capi.SQLITE_FCNTL_FILE_POINTER, slot)
    if (found !== capi.SQLITE_OK) throw new Error(`The file under a connection is not told of (${found}).`)
    const pointer = wasm.peekPtr(slot)
    const file = new capi.sqlite3_file(pointer)
    const methods = new capi.sqlite3_io_methods(file.$pMethods)
    // The library's types name these members otherwise than it does.
    const entry = (member: string) =>
      wasm.functionEntry(Number(Reflect.get(methods, member))) as (...args: unknown[]) => number
    const read = entry('$xRead')
    const size = entry('$xFileSize')
    methods.dispose()
    file.dispose()
    return {
      size: () => {
        const place = wasm.alloc(8)
        try {
          const result = size(pointer, place)
          if (result !== capi.SQLITE_OK) throw new Error(`The size of a file is not told (${result}).`)
          return Number(wasm.peek(place, 'i64'))
        } finally {
          wasm.dealloc(place)
        }
      },
      read: (into, bytes, at) => read(pointer, into, bytes, BigInt(at))
    }
  } finally {
    wasm.dealloc(slot)
  }
}

export const rawSize = (sqlite3: Sqlite3Static, handle: SqliteDatabase['handle']): number =>
  methodsOf(sqlite3, handle).size()

/** The bytes of the file under a connection, whatever they are, a piece at a time. */
export function* rawChunks(
  sqlite3: Sqlite3Static,
  handle: SqliteDatabase['handle']
): Generator<Uint8Array<ArrayBuffer>> {
  const { wasm, capi } = sqlite3
  const methods = methodsOf(sqlite3, handle)
  const size = methods.size()
  const buffer = wasm.alloc(CHUNK)
  try {
    for (let at = 0; at < size; at += CHUNK) {
      const bytes = Math.min(CHUNK, size - at)
      const result = methods.read(buffer, bytes, at)
      if (result !== capi.SQLITE_OK) {
        const message = `A file of this browser's storage cannot be read at byte ${at} (${result}).`
        throw new FlowForgeError('CORRUPT', message, { at, result })
      }
      yield wasm.heap8u().slice(buffer, buffer + bytes) as Uint8Array<ArrayBuffer>
    }
  } finally {
    wasm.dealloc(buffer)
  }
}
