import type { SAHPoolUtil, Sqlite3Static } from '@sqlite.org/sqlite-wasm'

/** Bytes; a larger commit goes out in pieces of this size. */
const MOST_GATHERED = 256 * 1024

type Pointer = number
type Method = (...args: readonly (number | bigint)[]) => number
/** Bytes of one file that lie side by side, in the engine's memory. */
type Gathered = {
  readonly buffer: Pointer
  start: number
  length: number
  /** Of a page of the database; 0 until it is known. */
  pageBytes: number
  /** Nothing has been written since the file was opened. */
  isFirst: boolean
}

/** What a disk may damage as a whole when the power fails while it writes a part of it; the pool says the same. */
const SECTOR = 4096

const OK = 0
/** SQLite's file format, section 4: the log's header, and that of each page in it. */
const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/** The members of the library's structures have no types: they are the addresses of functions. */
const pointerTo = (struct: object, method: string): Pointer => {
  const pointer: unknown = Reflect.get(struct, `$${method}`)
  if (typeof pointer !== 'number') throw new Error(`The file system has no ${method}.`)
  return pointer
}

const methodAt = ({ wasm }: Sqlite3Static, pointer: Pointer): Method => {
  const entry = wasm.functionEntry(pointer)
  if (entry === undefined) throw new Error('The file system has no such function.')
  return (...args) => Number(Reflect.apply(entry, undefined, args))
}

/** A copy of a file's methods, of which some may be replaced; it lasts as long as the engine. */
const copyMethods = ({ capi, wasm }: Sqlite3Static, from: Pointer) => {
  const copy = new capi.sqlite3_io_methods()
  const size = Number(Reflect.get(Object(Reflect.get(capi.sqlite3_io_methods, 'structInfo')), 'sizeof'))
  wasm.heap8u().copyWithin(copy.pointer, from, from + size)
  return copy
}

const gatherWrites = (sqlite3: Sqlite3Static, methods: object): void => {
  const { capi, wasm } = sqlite3
  const files = new Map<Pointer, Gathered>()
  const original = (name: string): Method => methodAt(sqlite3, pointerTo(methods, name))
  const [read, write, sync] = [original('xRead'), original('xWrite'), original('xSync')]
  const [fileSize, truncate, close] = [original('xFileSize'), original('xTruncate'), original('xClose')]
  const replace = (name: string, signature: string, method: (...args: never[]) => number): void => {
    Reflect.set(methods, `$${name}`, wasm.installFunction(signature, method))
  }

  /** None where there is no memory for it: then every write goes out by itself. */
  const gatheredIn = (file: Pointer): Gathered | undefined => {
    const known = files.get(file)
    if (known !== undefined) return known
    const buffer = wasm.alloc.impl(MOST_GATHERED)
    if (buffer === 0) return undefined
    const gathered = { buffer, start: 0, length: 0, pageBytes: 0, isFirst: true }
    files.set(file, gathered)
    return gathered
  }

  const pageBytesAt = (header: Pointer): number => {
    const [a = 0, b = 0, c = 0, d = 0] = wasm.heap8u().subarray(header + 8, header + 12)
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  }

  /** Does the log's header or a frame of it begin there? What comes between belongs to a frame whose commit was flushed. */
  const isStart = (file: Pointer, gathered: Gathered, offset: number): boolean => {
    if (offset === 0) return true
    if (gathered.pageBytes === 0 && read(file, gathered.buffer, HEADER_BYTES, 0n) === OK)
      gathered.pageBytes = pageBytesAt(gathered.buffer)
    const { pageBytes } = gathered
    return pageBytes > 0 && (offset - HEADER_BYTES) % (FRAME_HEADER_BYTES + pageBytes) === 0
  }

  /**
   * Each commit is filled up to a sector, so that the next cannot harm it; what was recovered may not be. The sector that
   * the first write after it begins in is written by itself: if the power fails while the many others are under way, it
   * was not.
   */
  const writeFirst = (file: Pointer, { buffer, start, length }: Gathered): number => {
    const head = Math.min(length, Math.ceil(start / SECTOR) * SECTOR - start)
    const result = head === 0 ? OK : write(file, buffer, head, BigInt(start))
    if (result !== OK || head === length) return result
    return write(file, buffer + head, length - head, BigInt(start + head))
  }

  /** Where it fails, SQLite takes the transaction back, and nothing of it may reach the file later. */
  const flushOut = (file: Pointer): number => {
    const gathered = files.get(file)
    if (gathered === undefined || gathered.length === 0) return OK
    const { buffer, start, length, isFirst } = gathered
    const result = isFirst ? writeFirst(file, gathered) : write(file, buffer, length, BigInt(start))
    gathered.length = 0
    if (result === OK) gathered.isFirst = false
    return result
  }

  const gather = (file: Pointer, from: Pointer, count: number, offset: bigint): number => {
    const gathered = gatheredIn(file)
    if (gathered === undefined) return write(file, from, count, offset)
    const at = Number(offset) - gathered.start
    const isBeside = gathered.length > 0 && at >= 0 && at <= gathered.length && at + count <= MOST_GATHERED
    if (isBeside) {
      wasm.heap8u().copyWithin(gathered.buffer + at, from, from + count)
      gathered.length = Math.max(gathered.length, at + count)
      return OK
    }
    const result = flushOut(file)
    if (result !== OK) return result
    if (count > MOST_GATHERED || !isStart(file, gathered, Number(offset)))
      return write(file, from, count, offset)
    if (Number(offset) === 0 && count === HEADER_BYTES) gathered.pageBytes = pageBytesAt(from)
    wasm.heap8u().copyWithin(gathered.buffer, from, from + count)
    gathered.start = Number(offset)
    gathered.length = count
    return OK
  }

  /** The file's bytes, and over them what is gathered: as the file will be. Reading needs no room. */
  const readBoth = (file: Pointer, to: Pointer, count: number, offset: bigint): number => {
    const result = read(file, to, count, offset)
    const { buffer = 0, start = 0, length = 0 } = files.get(file) ?? {}
    const [from, end] = [Number(offset), start + length]
    const [first, last] = [Math.max(from, start), Math.min(from + count, end)]
    if (length === 0 || first >= last || (result !== OK && result !== capi.SQLITE_IOERR_SHORT_READ))
      return result
    const source = buffer + first - start
    wasm.heap8u().copyWithin(to + first - from, source, source + last - first)
    return last === from + count ? OK : result
  }

  const sizeOfBoth = (file: Pointer, size: Pointer): number => {
    const result = fileSize(file, size)
    const { start = 0, length = 0 } = files.get(file) ?? {}
    const end = BigInt(length === 0 ? 0 : start + length)
    if (result === OK && end > wasm.peek64(size)) wasm.poke64(size, end)
    return result
  }

  const truncateBoth = (file: Pointer, size: bigint): number => {
    const gathered = files.get(file)
    if (gathered !== undefined) {
      const kept = Number(size) - gathered.start
      gathered.length = Math.max(0, Math.min(gathered.length, kept))
    }
    return truncate(file, size)
  }

  replace('xWrite', 'i(ppij)', gather)
  replace('xRead', 'i(ppij)', readBoth)
  replace('xFileSize', 'i(pp)', sizeOfBoth)
  replace('xTruncate', 'i(pj)', truncateBoth)
  replace('xSync', 'i(pi)', (file: Pointer, flags: number) => {
    const result = flushOut(file)
    return result === OK ? sync(file, flags) : result
  })
  replace('xClose', 'i(p)', (file: Pointer) => {
    // What is still gathered was taken back, or is of a transaction that never ended.
    const gathered = files.get(file)
    files.delete(file)
    if (gathered !== undefined) wasm.dealloc(gathered.buffer)
    return close(file)
  })
}

/** The library has one pool a directory, however often it is opened. */
const treated = new WeakSet<SAHPoolUtil>()

/**
 * Has the write-ahead logs of an open pool, those that are opened from now on, written side by side in one stroke.
 *
 * SQLite writes a page of the log as two pieces, its header and its content: some twenty writes a commit, each of which
 * crosses into the browser's file system. They are gathered here and go out before the log is flushed, which ends every
 * commit; whoever reads finds them. Nothing lasts less for it: what was written and not yet flushed was never
 * acknowledged, and whether it reached the file was never promised.
 *
 * What SQLite writes of a commit after its flush goes out at once, so that whatever is gathered belongs to a transaction that
 * has not ended. A write that fails is told by the flush, or by the write that needed the room, and what was gathered is
 * gone with the transaction. The log alone is written so, because each of its commits ends in a flush that can tell; see
 * ADR 31.
 */
export const gatherLogWrites = (sqlite3: Sqlite3Static, pool: SAHPoolUtil): void => {
  if (treated.has(pool)) return
  treated.add(pool)
  const { capi, wasm } = sqlite3
  const vfs = new capi.sqlite3_vfs(capi.sqlite3_vfs_find(pool.vfsName))
  const open = methodAt(sqlite3, pointerTo(vfs, 'xOpen'))
  const made = new Map<Pointer, Pointer>()

  const gatheringMethods = (from: Pointer): Pointer => {
    const known = made.get(from)
    if (known !== undefined) return known
    const methods = copyMethods(sqlite3, from)
    gatherWrites(sqlite3, methods)
    made.set(from, methods.pointer)
    return methods.pointer
  }

  const openWithThem = (
    vfsPointer: Pointer,
    name: Pointer,
    file: Pointer,
    flags: number,
    flagsOut: Pointer
  ): number => {
    const result = open(vfsPointer, name, file, flags, flagsOut)
    if (result !== OK || (flags & capi.SQLITE_OPEN_WAL) === 0) return result
    try {
      // The first member of a file is the address of its methods.
      wasm.pokePtr(file, gatheringMethods(Number(wasm.peekPtr(file))))
      return OK
    } catch (thrown) {
      // Nothing may be thrown through the engine.
      console.error('The methods of a database file could not be replaced', thrown)
      return capi.SQLITE_CANTOPEN
    }
  }
  Reflect.set(vfs, '$xOpen', wasm.installFunction('i(pppip)', openWithThem))
}
