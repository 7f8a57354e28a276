import type { Random } from '../random.ts'

/** A change of a file since it was last flushed; `bytes` are the file's own copy. */
type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'truncate'; readonly size: number }

/** How much of what was not flushed a power failure may take, and in which pieces. */
export type Losses = {
  /** Pieces of this many bytes are kept or lost by themselves. */
  readonly sector: number
  /** Whether the sectors of the write that was under way may hold neither the old nor the new, but anything. */
  readonly garbles: boolean
}

type Content = { bytes: Uint8Array<ArrayBuffer>; size: number }

const withRoom = (content: Content, size: number): void => {
  if (content.bytes.byteLength >= size) return
  const grown = new Uint8Array(Math.max(size, content.bytes.byteLength * 2, 8192))
  grown.set(content.bytes.subarray(0, content.size))
  content.bytes = grown
}

const resize = (content: Content, size: number): void => {
  withRoom(content, size)
  // What a file grows by is zeros, also where it was longer before.
  if (size < content.size) content.bytes.fill(0, size, content.size)
  content.size = size
}

const apply = (content: Content, change: Change): void => {
  if (change.kind === 'truncate') return resize(content, change.size)
  if (change.at + change.bytes.byteLength > content.size) resize(content, change.at + change.bytes.byteLength)
  content.bytes.set(change.bytes, change.at)
}

const copyOf = ({ bytes, size }: Content): Content => ({ bytes: bytes.slice(0, size), size })

const sizeAfter = (size: number, change: Change): number =>
  change.kind === 'truncate' ? change.size : Math.max(size, change.at + change.bytes.byteLength)

/** The bytes of one file: as programs read it, and as it would be found after a power failure. */
export type StoredFile = {
  size(): number
  read(into: Uint8Array, at: number): number
  write(bytes: Uint8Array, at: number): void
  truncate(size: number): void
  /** Makes what was written last. */
  flush(): void
  /** What the power's failure leaves: of each sector some version since the last flush, of the size too. */
  fail(losses: Losses, random: Random): void
  snapshot(): Uint8Array<ArrayBuffer>
}

export const createStoredFile = (): StoredFile => {
  let durable: Content = { bytes: new Uint8Array(0), size: 0 }
  let current: Content = { bytes: new Uint8Array(0), size: 0 }
  let pending: Change[] = []

  const change = (each: Change): void => {
    pending.push(each)
    apply(current, each)
  }

  const touches = (each: Change, from: number, to: number): boolean =>
    each.kind === 'truncate' ? to > each.size : each.at < to && each.at + each.bytes.byteLength > from

  /** One sector as it was after the first `count` changes that touched it. */
  const sectorAfter = (from: number, to: number, count: number): Uint8Array => {
    const sector = new Uint8Array(to - from)
    sector.set(durable.bytes.subarray(from, Math.min(to, durable.size)))
    let seen = 0
    for (const each of pending) {
      if (seen === count) break
      if (!touches(each, from, to)) continue
      seen += 1
      if (each.kind === 'truncate') sector.fill(0, Math.max(0, each.size - from))
      else {
        const start = Math.max(from, each.at)
        sector.set(each.bytes.subarray(start - each.at, Math.max(0, to - each.at)), start - from)
      }
    }
    return sector
  }

  const surviving = ({ sector, garbles }: Losses, random: Random): Content => {
    const kept = random.between(0, pending.length)
    const size = pending.slice(0, kept).reduce(sizeAfter, durable.size)
    const longest = Math.max(size, current.size, durable.size)
    const content: Content = { bytes: new Uint8Array(longest), size: longest }
    content.bytes.set(durable.bytes.subarray(0, durable.size))
    // All of it, or nothing, or some: a disk that loses half of its sectors is rarer than one that loses the last few.
    const share = random.pick([0, 1, 0.5, random.next()])
    const last = pending.at(-1)
    for (let from = 0; from < longest; from += sector) {
      const to = Math.min(from + sector, longest)
      const count = pending.filter((each) => touches(each, from, to)).length
      if (count === 0) continue
      const version = random.chance(share) ? count : random.between(0, count - 1)
      content.bytes.set(sectorAfter(from, to, version), from)
      const isUnderWay = last?.kind === 'write' && touches(last, from, to)
      if (garbles && isUnderWay && random.chance(0.2)) {
        for (let at = from; at < to; at += 1) content.bytes[at] = random.between(0, 255)
      }
    }
    resize(content, size)
    return content
  }

  return {
    size: () => current.size,
    read: (into, at) => {
      const count = Math.max(0, Math.min(into.byteLength, current.size - at))
      into.set(current.bytes.subarray(at, at + count))
      return count
    },
    write: (bytes, at) => change({ kind: 'write', at, bytes: new Uint8Array(bytes) }),
    truncate: (size) => change({ kind: 'truncate', size }),
    flush: () => {
      for (const each of pending) apply(durable, each)
      pending = []
    },
    fail: (losses, random) => {
      if (pending.length === 0) return
      durable = surviving(losses, random)
      current = copyOf(durable)
      pending = []
    },
    snapshot: () => current.bytes.slice(0, current.size)
  }
}
