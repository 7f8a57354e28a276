/** One place at which two specs differ, in words. */
export type SpecDifference = {
  readonly path: string
  readonly change: 'added' | 'removed' | 'changed'
  readonly before: string | null
  readonly after: string | null
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** Every value of a spec by its path; lists count from 1, as people do. */
const leaves = (value: unknown, path: string): readonly (readonly [string, string])[] => {
  if (!isRecord(value) || Object.keys(value).length === 0) return [[path, JSON.stringify(value) ?? '']]
  return Object.entries(value).flatMap(([key, inner]) => {
    const part = Array.isArray(value) ? String(Number(key) + 1) : key
    return leaves(inner, path === '' ? part : `${path} › ${part}`)
  })
}

/** What changed from one spec to another, in the order of the later one; what went comes last. */
export const diffSpecs = (before: unknown, after: unknown): readonly SpecDifference[] => {
  const old = new Map(leaves(before, ''))
  const now = new Map(leaves(after, ''))
  const come = [...now].flatMap(([path, text]): SpecDifference[] => {
    const was = old.get(path)
    if (was === text) return []
    return was === undefined
      ? [{ path, change: 'added', before: null, after: text }]
      : [{ path, change: 'changed', before: was, after: text }]
  })
  const gone = [...old]
    .filter(([path]) => !now.has(path))
    .map(([path, text]): SpecDifference => ({ path, change: 'removed', before: text, after: null }))
  return [...come, ...gone]
}
