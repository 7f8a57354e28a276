import type { Random } from '../random.ts'
import { createStoredFile, type Disk } from './disk.ts'
import { Killed, type Killer } from './killer.ts'
import type { StoredFile } from './stored-file.ts'

/** What Chromium's `write` answers when there is no room. */
const HUGE = 0xfffffff8

/** Which files are open for writing, across all programs that use a disk: one program at a time may write a file. */
export type Locks = {
  readonly held: Set<StoredFile>
  /** Files that a dead program held. */
  left: ReadonlySet<StoredFile>
  /** How often those are still said to be open: a browser takes a moment to let go of them. */
  lingering: number
}

/** Bytes as the file system gives them out; unlike Node's own, it answers within the same turn. */
class SimulatedBlob {
  readonly size: number
  readonly type: string
  readonly #bytes: Uint8Array<ArrayBuffer>
  constructor(
    parts: readonly (ArrayBuffer | Uint8Array | SimulatedBlob)[] = [],
    options: { type?: string } = {}
  ) {
    const chunks = parts.map((part) =>
      part instanceof SimulatedBlob
        ? part.#bytes
        : new Uint8Array(part instanceof ArrayBuffer ? part : new Uint8Array(part))
    )
    this.#bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0))
    let at = 0
    for (const chunk of chunks) {
      this.#bytes.set(chunk, at)
      at += chunk.byteLength
    }
    this.size = this.#bytes.byteLength
    this.type = options.type ?? ''
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer
  }
  async text(): Promise<string> {
    return new TextDecoder().decode(this.#bytes)
  }
  slice(start = 0, end = this.size, type = ''): SimulatedBlob {
    return new SimulatedBlob([this.#bytes.slice(start, end)], { type })
  }
  /** In pieces, so that a program can die between two of them. */
  stream(): ReadableStream<Uint8Array> {
    let at = 0
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (at >= this.size) return controller.close()
        controller.enqueue(this.#bytes.slice(at, at + 32 * 1024))
        at += 32 * 1024
      }
    })
  }
}

const missing = (path: string): DOMException =>
  new DOMException(`${path} could not be found.`, 'NotFoundError')

/** The origin private file system of one program over a disk, as far as SQLite's pool and our own files use it. */
export const createOpfs = (disk: Disk, locks: Locks, killer: Killer, random: Random) => {
  const { faults } = disk
  /** Writes that still find no room. */
  let full = 0

  /** An operation that answers later: in a dead program it never does. */
  const later = async <T>(name: string, whole: () => T): Promise<T> => {
    try {
      return killer.perform(name, whole)
    } catch (thrown) {
      if (thrown instanceof Killed) return new Promise<T>(() => undefined)
      throw thrown
    }
  }

  const writeWithoutRoom = (file: StoredFile, bytes: Uint8Array, at: number): number => {
    if (faults.fullAs === 'huge-number') return HUGE
    if (faults.fullAs === 'exception') throw new DOMException('No room.', 'QuotaExceededError')
    const fits = random.between(0, bytes.byteLength - 1)
    if (fits > 0) file.write(bytes.subarray(0, fits), at)
    return fits
  }

  const write = (file: StoredFile, bytes: Uint8Array, at: number): number => {
    if (full === 0 && random.chance(faults.fullChance)) full = random.between(1, 40)
    const grows = at + bytes.byteLength > file.size()
    if (full > 0) full -= 1
    if (full > 0 && grows && bytes.byteLength > 0) return writeWithoutRoom(file, bytes, at)
    file.write(bytes, at)
    return bytes.byteLength
  }

  class Handle {
    readonly kind: 'file' | 'directory'
    readonly path: string
    readonly name: string
    constructor(kind: 'file' | 'directory', path: string) {
      this.kind = kind
      this.path = path
      this.name = path.slice(path.lastIndexOf('/') + 1)
    }
    async isSameEntry(other: Handle): Promise<boolean> {
      return this.path === other.path
    }
  }

  const fileAt = (path: string): StoredFile => {
    const file = disk.tree().files.get(path)
    if (file === undefined) throw missing(path)
    return file
  }

  const openForWriting = (file: StoredFile) => {
    if (locks.lingering > 0 && locks.left.has(file)) {
      locks.lingering -= 1
      throw new DOMException(
        'Access handles cannot be created: the file is open.',
        'NoModificationAllowedError'
      )
    }
    if (locks.held.has(file)) {
      throw new DOMException(
        'Access handles cannot be created: the file is open.',
        'NoModificationAllowedError'
      )
    }
    locks.held.add(file)
    let isOpen = true
    const use = <T>(name: string, whole: () => T, half?: () => void): T => {
      if (!isOpen) throw new DOMException('The access handle is closed.', 'InvalidStateError')
      return killer.perform(name, whole, half)
    }
    return {
      read: (into: Uint8Array, { at = 0 } = {}) =>
        use('read', () => file.read(new Uint8Array(into.buffer, into.byteOffset, into.byteLength), at)),
      write: (from: Uint8Array, { at = 0 } = {}) => {
        const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength)
        return use(
          'write',
          () => write(file, bytes, at),
          () => file.write(bytes.subarray(0, random.between(0, bytes.byteLength)), at)
        )
      },
      truncate: (size: number) => use('truncate', () => file.truncate(size)),
      getSize: () => use('size', () => file.size()),
      flush: () =>
        use('flush', () => {
          if (random.chance(faults.failedFlushChance))
            throw new DOMException('Flushing failed.', 'UnknownError')
          disk.flush(file)
        }),
      close: () => {
        if (!isOpen) return
        isOpen = false
        if (!killer.isDead()) locks.held.delete(file)
      }
    }
  }

  class FileHandle extends Handle {
    constructor(path: string) {
      super('file', path)
    }
    createSyncAccessHandle() {
      return later('open', () => openForWriting(fileAt(this.path)))
    }
    getFile() {
      return later('getFile', () =>
        Object.assign(new SimulatedBlob([fileAt(this.path).snapshot()]), { lastModified: 0 })
      )
    }
    move(name: string) {
      return later('move', () => {
        const file = fileAt(this.path)
        if (locks.held.has(file)) throw new DOMException('The file is open.', 'NoModificationAllowedError')
        const target = `${this.path.slice(0, this.path.lastIndexOf('/'))}/${name}`
        disk.rename((files) => {
          files.delete(this.path)
          files.set(target, file)
        })
      })
    }
  }

  const below = (folder: string): string[] => {
    const { files, folders } = disk.tree()
    return [...files.keys(), ...folders].filter((path) => path.startsWith(`${folder}/`))
  }

  class DirectoryHandle extends Handle {
    constructor(path: string) {
      super('directory', path)
    }
    getFileHandle(name: string, { create = false } = {}) {
      return later('getFileHandle', () => {
        const path = `${this.path}/${name}`
        if (!disk.tree().files.has(path)) {
          if (!create) throw missing(path)
          disk.rename((files) => files.set(path, createStoredFile()))
        }
        return new FileHandle(path)
      })
    }
    getDirectoryHandle(name: string, { create = false } = {}) {
      return later('getDirectoryHandle', () => {
        const path = `${this.path}/${name}`
        if (!disk.tree().folders.has(path)) {
          if (!create) throw missing(path)
          disk.rename((_files, folders) => folders.add(path))
        }
        return new DirectoryHandle(path)
      })
    }
    removeEntry(name: string, { recursive = false } = {}) {
      return later('removeEntry', () => {
        const path = `${this.path}/${name}`
        const { files: before, folders: foldersBefore } = disk.tree()
        if (!before.has(path) && !foldersBefore.has(path)) throw missing(path)
        const inside = [...before.keys(), ...foldersBefore].filter((each) => each.startsWith(`${path}/`))
        if (inside.length > 0 && !recursive) {
          throw new DOMException('The folder is not empty.', 'InvalidModificationError')
        }
        const removed = [path, ...inside]
        const isHeld = removed.some((each) => {
          const file = before.get(each)
          return file !== undefined && locks.held.has(file)
        })
        if (isHeld) throw new DOMException('The file is open.', 'NoModificationAllowedError')
        disk.rename((files, folders) => {
          for (const each of removed) {
            files.delete(each)
            folders.delete(each)
          }
        })
      })
    }
    async *entries(): AsyncGenerator<[string, Handle]> {
      const { files } = await later('entries', () => disk.tree())
      for (const path of below(this.path)) {
        const name = path.slice(this.path.length + 1)
        if (name.includes('/')) continue
        yield [name, files.has(path) ? new FileHandle(path) : new DirectoryHandle(path)]
      }
    }
    async *keys(): AsyncGenerator<string> {
      for await (const [name] of this.entries()) yield name
    }
    async *values(): AsyncGenerator<Handle> {
      for await (const [, handle] of this.entries()) yield handle
    }
    [Symbol.asyncIterator]() {
      return this.entries()
    }
  }

  return {
    root: () => new DirectoryHandle(''),
    globals: {
      FileSystemHandle: Handle,
      FileSystemFileHandle: FileHandle,
      FileSystemDirectoryHandle: DirectoryHandle,
      Blob: SimulatedBlob,
      File: SimulatedBlob
    }
  }
}
