/** Bits that an unsigned number of up to 32 bits takes. */
export const widthOf = (most: number): number => 32 - Math.clz32(most)

/** The first `count` numbers, `width` bits each, one behind the other, the lowest bit first. */
export const packBits = (values: Readonly<Uint32Array>, count: number, width: number): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil((count * width) / 8))
  let bit = 0
  for (let index = 0; index < count && width > 0; index += 1) {
    let rest = values[index] ?? 0
    for (let left = width; left > 0;) {
      const within = bit & 7
      const taken = Math.min(8 - within, left)
      bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) | ((rest & ((1 << taken) - 1)) << within)
      rest >>>= taken
      bit += taken
      left -= taken
    }
  }
  return bytes
}

/** What `packBits` packed. */
export const unpackBits = (bytes: Uint8Array, count: number, width: number): Uint32Array => {
  const values = new Uint32Array(count)
  let bit = 0
  for (let index = 0; index < count && width > 0; index += 1) {
    let value = 0
    for (let have = 0; have < width;) {
      const within = bit & 7
      const taken = Math.min(8 - within, width - have)
      value |= (((bytes[bit >>> 3] ?? 0) >>> within) & ((1 << taken) - 1)) << have
      bit += taken
      have += taken
    }
    values[index] = value
  }
  return values
}

/** A whole number from 0 in as few bytes as it needs, seven bits a byte. */
export const varint = (value: number): readonly number[] => {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return [...bytes, rest]
}

/** Numbers on both sides of 0 as numbers from 0: small ones stay small. */
export const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)
const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2)

/** Reads on in bytes. @throws Error where they end too early */
export const createByteReader = (bytes: Uint8Array) => {
  let at = 0
  const take = (count: number): Uint8Array => {
    if (at + count > bytes.length) throw new Error('The row ids end too early.')
    at += count
    return bytes.subarray(at - count, at)
  }
  const number = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = take(1)[0] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  return { take, number, signed: () => unzigzag(number()), isAtEnd: () => at === bytes.length }
}
export type ByteReader = ReturnType<typeof createByteReader>
