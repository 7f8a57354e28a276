/** A table of a FlatBuffer, as far as Arrow's messages need it: where a field's value stands in the buffer. */
export type FlatTable = {
  /** Undefined where the field is left out, which says that it has its default. */
  readonly fieldAt: (field: number) => number | undefined
  readonly tableAt: (field: number) => FlatTable | undefined
  /** Where a vector's elements begin, and how many there are. */
  readonly vectorAt: (field: number) => { readonly at: number; readonly length: number }
}

const tableFrom = (view: DataView, at: number): FlatTable => {
  const vtable = at - view.getInt32(at, true)
  const fieldAt = (field: number): number | undefined => {
    const entry = 4 + 2 * field
    const offset = entry < view.getUint16(vtable, true) ? view.getUint16(vtable + entry, true) : 0
    return offset === 0 ? undefined : at + offset
  }
  const follow = (from: number): number => from + view.getUint32(from, true)
  return {
    fieldAt,
    tableAt: (field) => {
      const from = fieldAt(field)
      return from === undefined ? undefined : tableFrom(view, follow(from))
    },
    vectorAt: (field) => {
      const from = fieldAt(field)
      if (from === undefined) return { at: 0, length: 0 }
      const vector = follow(from)
      return { at: vector + 4, length: view.getUint32(vector, true) }
    }
  }
}

/** The table that a FlatBuffer beginning at `at` is about. */
export const rootTable = (view: DataView, at: number): FlatTable =>
  tableFrom(view, at + view.getUint32(at, true))
