/** Edits (insert, delete, replace a letter) that turn `a` into `b`. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** ` Did you mean "x"?` where one of the names is near, else nothing. */
export const didYouMean = (name: string, names: readonly string[]): string => {
  const wanted = name.toLowerCase().slice(0, 64)
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  const near = names
    .map((other) => ({ other, edits: distance(wanted, other.toLowerCase().slice(0, 64)) }))
    .filter(({ edits }) => edits <= limit)
    .toSorted((a, b) => a.edits - b.edits)
  return near[0] === undefined ? '' : ` Did you mean "${near[0].other}"?`
}
