export const replacedAt = <T>(list: readonly T[], index: number, item: T): T[] =>
  list.map((other, at) => (at === index ? item : other))

export const removedAt = <T>(list: readonly T[], index: number): T[] => list.filter((_, at) => at !== index)

/** The list with one item moved up (-1) or down (1); as it is where there is no room. */
export const movedBy = <T>(list: readonly T[], index: number, by: -1 | 1): T[] => {
  const item = list[index]
  const other = list[index + by]
  if (item === undefined || other === undefined) return [...list]
  return list.map((kept, at) => (at === index ? other : at === index + by ? item : kept))
}
