/** A record's entry while it is edited: keys may be empty or twice there for a moment, which a record cannot hold. */
export type RecordRow = { readonly key: string; readonly value: string }

export const rowsFromRecord = (record: Readonly<Record<string, string>>): readonly RecordRow[] =>
  Object.entries(record).map(([key, value]) => ({ key, value }))

/** The record that the rows make: without a key a row does not count, and the first of two equal keys does. */
export const rowsToRecord = (rows: readonly RecordRow[]): Readonly<Record<string, string>> => {
  const record = new Map<string, string>()
  for (const { key, value } of rows) if (key !== '' && !record.has(key)) record.set(key, value)
  return Object.fromEntries(record)
}
