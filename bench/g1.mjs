/** The G1 table of db-benchmark (groupby, K groups, no NA, unsorted), from a seeded generator of our own. */
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'

/** Mulberry32. */
const randomFrom = (seed) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const write = async (path, lines) => {
  const out = createWriteStream(path)
  let chunk = []
  for (const line of lines) {
    chunk.push(line)
    if (chunk.length < 10_000) continue
    if (!out.write(`${chunk.join('\n')}\n`)) await once(out, 'drain')
    chunk = []
  }
  out.end(chunk.length > 0 ? `${chunk.join('\n')}\n` : '')
  await once(out, 'finish')
}

/** `rows` × 9: id1–id3 text of K, K and rows/K values, id4–id6 the same as numbers, v1 1–5, v2 1–15, v3 0–100. */
export const writeG1 = (path, rows, groups = 100, seed = 108) => {
  const random = randomFrom(seed)
  const upTo = (count) => 1 + Math.floor(random() * count)
  const wide = Math.max(1, Math.floor(rows / groups))
  function* lines() {
    yield 'id1,id2,id3,id4,id5,id6,v1,v2,v3'
    for (let row = 0; row < rows; row += 1) {
      const [one, two, three] = [upTo(groups), upTo(groups), upTo(wide)]
      yield (
        `id${String(one).padStart(3, '0')},id${String(two).padStart(3, '0')},id${String(three).padStart(10, '0')},` +
        `${upTo(groups)},${upTo(groups)},${upTo(wide)},${upTo(5)},${upTo(15)},${(random() * 100).toFixed(6)}`
      )
    }
  }
  return write(path, lines())
}

/** The table it is joined with: a label for each value of id4, ten labels in all. */
export const writeSmall = (path, groups = 100) => {
  function* lines() {
    yield 'key,label'
    for (let key = 1; key <= groups; key += 1) yield `${key},label ${key % 10}`
  }
  return write(path, lines())
}

/** The tables of the join questions, `rows` rows in `j`: nine keys of ten are found on the other side, each once. */
export const writeJoins = async (paths, rows, seed = 109) => {
  const random = randomFrom(seed)
  const sizes = {
    small: Math.max(10, Math.round(rows / 100_000)),
    medium: Math.max(10, Math.round(rows / 1_000)),
    big: rows
  }
  const upTo = (count) => 1 + Math.floor(random() * count * 1.1)
  const value = () => (random() * 100).toFixed(6)
  function* left() {
    yield 'id1,id2,id3,id4,id5,id6,v1'
    for (let row = 0; row < rows; row += 1) {
      const [one, two, three] = [upTo(sizes.small), upTo(sizes.medium), upTo(sizes.big)]
      yield `${one},${two},${three},id${one},id${two},id${three},${value()}`
    }
  }
  function* right(columns, count) {
    yield [...columns, 'v2'].join(',')
    for (let key = 1; key <= count; key += 1)
      yield [...columns.map((name) => (name > 'id3' ? `id${key}` : key)), value()].join(',')
  }
  await write(paths.j, left())
  await write(paths.small, right(['id1', 'id4'], sizes.small))
  await write(paths.medium, right(['id2', 'id5'], sizes.medium))
  await write(paths.big, right(['id3', 'id6'], sizes.big))
}
