import type { Plan, PlannedRelation, PlannedSink } from './plan-types.ts'
import { passesOn } from './relation.ts'

/** What rows depend on beside the plan. */
export type KeyInputs = {
  /** What computes: rows of another build are not taken for the same. */
  readonly engineBuild: string
  /** A source's rows told by the hash of its bytes and by how they are read; undefined where that is not known. */
  readonly fingerprint: (source: NonNullable<PlannedRelation['source']>) => string | undefined
  readonly hash: (text: string) => Promise<string>
}

/** Grows when a key comes to mean something else: artifacts of before are then not found. */
const FORM = 1

/** Parameters that the SQL reads. Text that only looks so is counted in, which makes two keys of one at the worst. */
const parametersIn = (sql: string, { parameters }: Plan): readonly (readonly [string, unknown])[] => {
  const names = [...sql.matchAll(/getvariable\('([A-Za-z0-9_.]+)'\)/g)].map(([, name = '']) => name)
  return [...new Set(names)].toSorted().map((name) => [name, parameters[name] ?? null])
}

/**
 * A key for each relation: equal keys, equal rows in equal order. It is a hash over the relation's SQL, the parameters
 * that it reads, the build of the engine, and the keys of what it reads, down to the bytes of the sources. Relations
 * whose rows come from elsewhere, and all that read them, have none.
 */
export const relationKeys = async (plan: Plan, inputs: KeyInputs): Promise<ReadonlyMap<string, string>> => {
  const keys = new Map<string, string>()
  const describe = (relation: PlannedRelation): unknown[] | undefined => {
    const { sql, source, dependsOn, columns, pinned } = relation
    if (pinned !== undefined) return ['pinned', pinned.sha256, pinned.columns]
    if (source !== null) {
      const fingerprint = inputs.fingerprint(source)
      return fingerprint === undefined ? undefined : [fingerprint, columns]
    }
    if (sql === null) return undefined
    const needed = dependsOn.map((id) => [id, keys.get(id)])
    if (needed.some(([, key]) => key === undefined)) return undefined
    return [sql, parametersIn(sql, plan), needed]
  }
  for (const relation of plan.relations) {
    const same = passesOn(relation)
    const known = same === undefined ? undefined : keys.get(same)
    const described = describe(relation)
    if (known !== undefined) keys.set(relation.id, known)
    else if (described !== undefined) {
      const text = JSON.stringify([FORM, inputs.engineBuild, ...described])
      // oxlint-disable-next-line no-await-in-loop -- a key is made of those before it
      keys.set(relation.id, await inputs.hash(text))
    }
  }
  return keys
}

/** The key of a sink's file: that of its rows, and how they are written. What the file is called makes no difference. */
export const fileKey = (tableKey: string, sink: PlannedSink): string => {
  const named = new Set(['nodeId', 'relation', 'fileName'])
  const how = Object.entries(sink).filter(([name]) => !named.has(name))
  return `${tableKey} ${JSON.stringify(how.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
}
