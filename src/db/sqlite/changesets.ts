import type { Database, Sqlite3Static, SqlValue } from '@sqlite.org/sqlite-wasm'
import { FlowForgeError } from '../flowforge-error.ts'

/** Records what a connection changes, until it is asked. */
export type ChangeRecorder = {
  /** What was changed since the last time; null where nothing was. Only to be asked while no transaction is open. */
  take(): Uint8Array<ArrayBuffer> | null
  stop(): void
}

const check = (sqlite3: Sqlite3Static, result: number, what: string): void => {
  if (result === 0) return
  throw new FlowForgeError('INTERNAL', `${what} failed: ${sqlite3.capi.sqlite3_js_rc_str(result) ?? result}.`)
}

export const recordChanges = (sqlite3: Sqlite3Static, handle: Database): ChangeRecorder => {
  const { capi, wasm } = sqlite3
  const database = Number(handle.pointer)
  const withPointers = <T>(count: number, work: (...pointers: number[]) => T): T => {
    const scope = wasm.scopedAllocPush()
    try {
      return work(...Array.from({ length: count }, () => Number(wasm.scopedAllocPtr(1))))
    } finally {
      wasm.scopedAllocPop(scope)
    }
  }
  const start = (): number =>
    withPointers(1, (out = 0) => {
      check(sqlite3, capi.sqlite3session_create(database, 'main', out), 'Recording changes')
      const session = Number(wasm.peekPtr(out))
      check(sqlite3, capi.sqlite3session_attach(session, 0), 'Recording changes')
      return session
    })
  let session = start()
  return {
    take: () => {
      const bytes = withPointers(2, (size = 0, out = 0) => {
        check(sqlite3, capi.sqlite3session_changeset(session, size, out), 'Reading changes')
        const [length, from] = [Number(wasm.peek32(size)), Number(wasm.peekPtr(out))]
        const copied = new Uint8Array(wasm.heap8u().slice(from, from + length))
        capi.sqlite3_free(from)
        return copied
      })
      if (bytes.byteLength === 0) return null
      // The next one first: where there is no memory for it, `stop` must not let go of this one twice.
      const next = start()
      capi.sqlite3session_delete(session)
      session = next
      return bytes
    },
    stop: () => capi.sqlite3session_delete(session)
  }
}

/**
 * Applies a changeset; a change that does not fit is a failure, and nothing of it is done. While rows are still being
 * copied a change may be of one that has not come yet: it is left out, for the row will come as it is by then.
 */
export const applyChanges = (
  sqlite3: Sqlite3Static,
  handle: Database,
  changeset: Uint8Array<ArrayBuffer>,
  isExact: boolean
): void => {
  const { capi, wasm } = sqlite3
  const bytes = Number(wasm.allocFromTypedArray(changeset))
  try {
    const result = capi.sqlite3changeset_apply(
      Number(handle.pointer),
      changeset.byteLength,
      bytes,
      0,
      (_context, conflict) => {
        if (isExact) return capi.SQLITE_CHANGESET_ABORT
        return conflict === capi.SQLITE_CHANGESET_NOTFOUND
          ? capi.SQLITE_CHANGESET_OMIT
          : capi.SQLITE_CHANGESET_ABORT
      },
      0
    )
    if (result === 0) return
    const message = 'A change does not fit the replica: the two have come apart.'
    throw new FlowForgeError('CORRUPT', message, { result })
  } finally {
    wasm.dealloc(bytes)
  }
}

export type Change = {
  readonly table: string
  readonly op: 'insert' | 'update' | 'delete'
  /** By column; a column that an update leaves alone has none. */
  readonly before: readonly (SqlValue | undefined)[]
  readonly after: readonly (SqlValue | undefined)[]
}

/** Walks a changeset without a database. */
export const readChanges = (
  sqlite3: Sqlite3Static,
  changeset: Uint8Array<ArrayBuffer>,
  use: (change: Change) => void
): void => {
  const { capi, wasm } = sqlite3
  const bytes = Number(wasm.allocFromTypedArray(changeset))
  const scope = wasm.scopedAllocPush()
  try {
    const [out, name, columns, code, indirect] = Array.from({ length: 5 }, () =>
      Number(wasm.scopedAllocPtr(1))
    ) as [number, number, number, number, number]
    check(sqlite3, capi.sqlite3changeset_start(out, changeset.byteLength, bytes), 'Reading changes')
    const iterator = Number(wasm.peekPtr(out))
    while (capi.sqlite3changeset_next(iterator) === capi.SQLITE_ROW) {
      check(sqlite3, capi.sqlite3changeset_op(iterator, name, columns, code, indirect), 'Reading changes')
      const count = Number(wasm.peek32(columns))
      const kind = Number(wasm.peek32(code))
      const op = kind === capi.SQLITE_INSERT ? 'insert' : kind === capi.SQLITE_DELETE ? 'delete' : 'update'
      const values = (which: 'sqlite3changeset_old_js' | 'sqlite3changeset_new_js') =>
        Array.from({ length: count }, (_, at) => capi[which](iterator, at))
      use({
        table: String(wasm.cstrToJs(Number(wasm.peekPtr(name)))),
        op,
        before: op === 'insert' ? [] : values('sqlite3changeset_old_js'),
        after: op === 'delete' ? [] : values('sqlite3changeset_new_js')
      })
    }
    check(sqlite3, capi.sqlite3changeset_finalize(iterator), 'Reading changes')
  } finally {
    wasm.scopedAllocPop(scope)
    wasm.dealloc(bytes)
  }
}
