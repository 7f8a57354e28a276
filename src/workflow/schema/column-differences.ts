import type { Column } from '../value-type.ts'

const typeWords = (column: Column, other: Column): string =>
  column.type === other.type ? column.engineType : column.type

/** What keeps rows from standing under the columns of others: columns are matched by name, types are the same. */
export const columnDifferences = (there: readonly Column[], added: readonly Column[]): readonly string[] => {
  const byName = new Map(added.map((column) => [column.name, column]))
  const known = new Set(there.map(({ name }) => name))
  return [
    ...there.flatMap((column) => {
      const found = byName.get(column.name)
      if (found === undefined) return [`"${column.name}" is missing`]
      return found.engineType === column.engineType
        ? []
        : [`"${column.name}" is ${typeWords(found, column)} and there ${typeWords(column, found)}`]
    }),
    ...added.flatMap(({ name }) => (known.has(name) ? [] : [`"${name}" is not in it`]))
  ]
}
