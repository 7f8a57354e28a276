import type { DbContext } from '../../db/ports.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import { planReuse, type Remaining } from '../../workflow/reuse.ts'
import { fileKey } from '../../workflow/step-key.ts'
import type { StoredRelation } from '../engine/compute-engine.ts'
import { canBeLoaded } from '../engine/stored-relations.ts'
import { artifactsByKey, isWhole, type StoredArtifact } from './stored-artifacts.ts'

/** What a run takes from earlier ones. */
export type Reuse = {
  /** What is left to do. */
  readonly plan: Plan
  readonly known: ReadonlyMap<string, StoredRelation>
  /** Nodes with nothing left to do, and the run that did it. */
  readonly steps: readonly { readonly nodeId: string; readonly runId: string; readonly isPinned: boolean }[]
  /** Artifacts that become this run's own, by the node that would have written them. */
  readonly artifacts: readonly {
    readonly nodeId: string
    readonly relation: string
    readonly artifact: StoredArtifact
  }[]
}

type Args = {
  readonly plan: Plan
  readonly keys: ReadonlyMap<string, string>
  /** Artifacts of this run alone, as when it is resumed and was to reuse nothing. */
  readonly onlyRunId: string | null
  /** This node and what it feeds are done anew. */
  readonly from: string | undefined
  /** Rows that a draft's pins hold, by relation; they are taken whatever is done anew. */
  readonly pinned: ReadonlyMap<string, StoredArtifact>
  /** Is to be kept which rows this relation's came from? Its rows are then taken only where that was kept, too. */
  readonly carries?: (relation: string) => boolean
  readonly signal: AbortSignal
}

/** Relations of a node and of all that it feeds. */
const downstreamOf = ({ relations }: Plan, nodeId: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const { id, nodeId: owner, dependsOn } of relations) {
    if (owner === nodeId || dependsOn.some((needed) => found.has(needed))) found.add(id)
  }
  return found
}

/** Stored rows as the engine takes them, by relation. */
export const toKnown = (tables: ReadonlyMap<string, StoredArtifact>): ReadonlyMap<string, StoredRelation> =>
  new Map(
    [...tables].flatMap(([id, { uri, layout, rows }]) =>
      layout === undefined ? [] : [[id, { blobKey: uri, layout, rows: rows ?? 0 }] as const]
    )
  )

export const nothingReused = (plan: Plan): Reuse => ({ plan, known: new Map(), steps: [], artifacts: [] })

/**
 * Finds what earlier runs have computed of a plan: a relation or file with the same key whose bytes are all there. One
 * that is gone or damaged is never taken.
 */
export const findReuse = async (
  { projectionStore, blobStore }: Pick<DbContext, 'projectionStore' | 'blobStore'>,
  { plan, keys, onlyRunId, from, pinned, carries = () => false, signal }: Args
): Promise<Reuse> => {
  const fresh = from === undefined ? new Set<string>() : downstreamOf(plan, from)
  const tableKeys = new Map([...keys].filter(([id]) => !fresh.has(id) && !pinned.has(id)))
  const fileKeys = new Map(
    plan.sinks.flatMap((sink) => {
      const key = tableKeys.get(sink.relation)
      return key === undefined ? [] : [[sink.nodeId, fileKey(key, sink)] as const]
    })
  )
  const wanted = [...tableKeys.values(), ...fileKeys.values()]
  const found = new Map(
    await artifactsByKey({ projectionStore }, wanted, {
      onlyRunId,
      prefersRowIds: plan.relations.some(({ id }) => carries(id))
    })
  )
  const isLoadable = (id: string): boolean =>
    canBeLoaded(plan.relations.find((relation) => relation.id === id)?.columns ?? [])
  const isTable = (id: string, key: string): boolean => {
    const artifact = found.get(key)
    return artifact?.kind === 'table' && (artifact.rowIds !== undefined || !carries(id))
  }
  const checked = new Set<string>()

  const attempt = (): Remaining =>
    planReuse(plan, {
      tables: new Set([
        ...pinned.keys(),
        ...[...tableKeys].flatMap(([id, key]) => (isTable(id, key) && isLoadable(id) ? [id] : []))
      ]),
      files: new Set([...fileKeys].flatMap(([id, key]) => (found.get(key)?.kind === 'file' ? [id] : [])))
    })

  /** Drops the first that is not whole; true where there is none. */
  const areWhole = async (used: readonly string[]): Promise<boolean> => {
    for (const key of used) {
      const artifact = found.get(key)
      if (artifact === undefined || checked.has(key)) continue
      const { rowIds } = artifact
      // oxlint-disable-next-line no-await-in-loop -- one file at a time
      const isTaken =
        (await isWhole(blobStore, artifact, signal)) &&
        (rowIds === undefined || (await isWhole(blobStore, rowIds, signal)))
      if (!isTaken) {
        found.delete(key)
        return false
      }
      checked.add(key)
    }
    return true
  }

  for (;;) {
    const remaining = attempt()
    // Rows that are loaded come without marks, and what is made of them would have none.
    const unmarked = remaining.loaded.find((id) => carries(id) && !pinned.has(id))
    if (unmarked !== undefined) {
      found.delete(tableKeys.get(unmarked) ?? '')
      continue
    }
    const doneSinks = plan.sinks.filter(({ relation }) => remaining.kept.includes(relation))
    const used = [
      ...[...remaining.kept, ...remaining.loaded].map((id) => tableKeys.get(id) ?? ''),
      ...doneSinks.map(({ nodeId }) => fileKeys.get(nodeId) ?? '')
    ]
    // oxlint-disable-next-line no-await-in-loop -- what is damaged changes what is left to do
    if (!(await areWhole(used))) continue
    const tableOf = (id: string): StoredArtifact | undefined =>
      pinned.get(id) ?? found.get(tableKeys.get(id) ?? '')
    return {
      plan: remaining.plan,
      known: toKnown(
        new Map(
          remaining.loaded.flatMap((id) => {
            const artifact = tableOf(id)
            return artifact === undefined ? [] : [[id, artifact] as const]
          })
        )
      ),
      steps: [...remaining.reused].flatMap(([nodeId, id]) => {
        const artifact = tableOf(id)
        const isPinned =
          pinned.has(id) && plan.relations.some((each) => each.id === id && each.nodeId === nodeId)
        return artifact === undefined ? [] : [{ nodeId, runId: artifact.run_id, isPinned }]
      }),
      artifacts: remaining.kept.flatMap((id) => {
        const relation = plan.relations.find((each) => each.id === id)
        const sink = doneSinks.find((each) => each.relation === id)
        return [tableOf(id), sink && found.get(fileKeys.get(sink.nodeId) ?? '')].flatMap((artifact) =>
          artifact === undefined || relation === undefined
            ? []
            : [{ nodeId: relation.nodeId, relation: id, artifact }]
        )
      })
    }
  }
}
