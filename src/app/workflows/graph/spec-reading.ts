/** Reads parts of a draft's spec, which may be unfinished or wrong: what does not fit reads as empty, and a check names it. */
export const asText = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : ''

export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const asRecord = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {})

export const asTextList = (value: unknown): readonly string[] => asList(value).map(asText)

export const asTextRecord = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(asRecord(value)).map(([key, entry]) => [key, asText(entry)]))

/** The record with a value set, or without the key where the value is `undefined`. */
export const withKey = (
  record: Readonly<Record<string, unknown>>,
  key: string,
  value: unknown
): Record<string, unknown> => {
  const { [key]: _, ...others } = record
  // A key that was there keeps its place.
  return value === undefined ? others : { ...record, [key]: value }
}
