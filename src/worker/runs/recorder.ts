import type { Graph, GraphNode } from '../../workflow/graph.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import { columnEdge, COPIED } from '../../workflow/lineage/lineage-edge.ts'
import { columnLineage } from '../../workflow/lineage/column-lineage.ts'
import type { RowIds } from '../../workflow/run/events.ts'
import type { RunCommand } from '../../workflow/run/run.ts'
import type { CatalogSource } from '../catalog.ts'
import type { ExecutionListener, WrittenArtifact, WrittenRowIds } from '../engine/compute-engine.ts'
import { throwIfCanceled } from '../engine/engine-errors.ts'
import { fileKey } from '../../workflow/step-key.ts'
import type { DbContext } from '../../db/ports.ts'
import type { World } from '../world.ts'
import type { ProgressBoard } from './progress.ts'
import { countsOf, NOTHING_EARLIER, takeOver, type Earlier } from './recording-reuse.ts'
import type { Reuse } from './reusing.ts'
import type { RunWriter } from './run-writer.ts'

const toRowIds = ({ blobKey, marks, ...rowIds }: WrittenRowIds): RowIds => ({
  uri: blobKey,
  ...rowIds,
  marks: [...marks]
})

type Parts = {
  context: DbContext
  writer: RunWriter
  board: ProgressBoard
  world: World
}

/** Which sources each relation's rows came from: node ids of source steps, by the node that they reach. */
export const sourcesReaching = (plan: Plan, nodeId: string): string[] => {
  const reached = new Set<string>()
  const visit = (relationId: string): void => {
    const relation = plan.relations.find(({ id }) => id === relationId)
    if (relation === undefined) return
    if (relation.source !== null) reached.add(relation.nodeId)
    relation.dependsOn.forEach(visit)
  }
  const step = plan.steps.find((each) => each.nodeId === nodeId)
  for (const id of [...(step?.inputs ?? []), ...(step?.outputs ?? [])]) visit(id)
  return [...reached]
}

const rowsIn = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`

const portOf = (nodeId: string, relation: string): string => relation.slice(nodeId.length + 1)

export type Recorder = {
  readonly listener: ExecutionListener
  readonly recordSources: () => Promise<void>
  /** Steps that an earlier run did, and the results that it wrote. */
  readonly recordReuse: (reuse: Reuse, signal: AbortSignal) => Promise<void>
}

/**
 * Writes down what the engine does in a run: each of its words becomes a command on the run, and so an event, rows and
 * progress. `sources` are the run's files by the id of the node that reads them.
 */
export const createRecorder = (
  { context, writer, board, world }: Parts,
  run: {
    runId: string
    graph: Graph
    plan: Plan
    sources: ReadonlyMap<string, CatalogSource>
    keys?: ReadonlyMap<string, string>
    earlier?: Earlier
  }
): Recorder => {
  const { runId, graph, plan, sources, keys = new Map(), earlier = NOTHING_EARLIER } = run
  const stepIdOf = (nodeId: string): string => `${runId}/${nodeId}`
  const sourceArtifacts = new Map(earlier.sources)
  const lineage = columnLineage(graph, plan)
  /** A node's table, which its file is made from. */
  const tables = new Map([...earlier.tables].map(([nodeId, { id }]) => [nodeId, id]))
  const nodeOf = (nodeId: string): GraphNode => {
    const node = graph.nodes.find(({ id }) => id === nodeId)
    if (node === undefined)
      throw new Error(`The engine spoke of a node "${nodeId}" that the graph does not have.`)
    return node
  }
  const { tell } = writer

  const say = (
    message: string,
    nodeId?: string,
    meta?: Record<string, unknown>
  ): Extract<RunCommand, { type: 'Log' }> => ({
    type: 'Log',
    logId: `log:${world.newId()}`,
    level: 'info',
    message,
    ...(nodeId === undefined ? {} : { stepId: stepIdOf(nodeId) }),
    ...(meta === undefined ? {} : { meta })
  })

  const recordSources = async (): Promise<void> => {
    const unread = [...sources].filter(([nodeId]) => !sourceArtifacts.has(nodeId))
    const commands = unread.flatMap(([nodeId, { name, config }]): RunCommand[] => {
      const artifactId = `artifact:${world.newId()}`
      sourceArtifacts.set(nodeId, artifactId)
      const written: RunCommand = {
        type: 'WriteArtifact',
        artifactId,
        stepId: null,
        nodeId,
        role: 'source',
        kind: 'file',
        uri: config.blobKey,
        format: null,
        columns: [...config.prepared.columns],
        rows: config.prepared.rows,
        sha256: config.sha256,
        bytes: config.size,
        fileName: config.fileName
      }
      return [written, say(`${nodeOf(nodeId).name} reads ${name}: ${rowsIn(config.prepared.rows)}.`)]
    })
    if (commands.length > 0) await tell(...commands)
  }

  const lineageTo = (
    artifact: Pick<WrittenArtifact, 'kind' | 'nodeId' | 'relation'>,
    artifactId: string
  ): RunCommand[] => {
    const table = artifact.kind === 'file' ? tables.get(artifact.nodeId) : undefined
    const from =
      table === undefined
        ? sourcesReaching(plan, artifact.nodeId).map((nodeId) => ({
            nodeId,
            id: sourceArtifacts.get(nodeId)
          }))
        : [{ nodeId: artifact.nodeId, id: table }]
    return from.flatMap(({ nodeId, id }): RunCommand[] =>
      id === undefined
        ? []
        : [
            {
              type: 'RecordLineage',
              lineageId: `lineage:${world.newId()}`,
              fromArtifactId: id,
              toArtifactId: artifactId,
              edge: {
                fromNode: nodeId,
                toNode: artifact.nodeId,
                ...(table === undefined ? columnEdge(lineage.get(artifact.relation), nodeId) : COPIED)
              }
            }
          ]
    )
  }

  /** The key that a later run may take it by. */
  const keyOf = ({ kind, nodeId, relation }: WrittenArtifact): string | undefined => {
    const key = keys.get(relation)
    const sink = plan.sinks.find((each) => each.nodeId === nodeId)
    if (kind === 'table' || key === undefined) return key
    return sink === undefined ? undefined : fileKey(key, sink)
  }

  const artifactWritten = async (artifact: WrittenArtifact): Promise<void> => {
    if (artifact.kind === 'table' && earlier.tables.get(artifact.nodeId)?.uri === artifact.blobKey) return
    const artifactId = `artifact:${world.newId()}`
    const { layout, fileName, blobKey, relation, isCheckpoint = false, rowIds, ...facts } = artifact
    const key = keyOf(artifact)
    const port = portOf(artifact.nodeId, relation)
    await tell(
      {
        type: 'WriteArtifact',
        artifactId,
        stepId: stepIdOf(artifact.nodeId),
        role: isCheckpoint ? 'checkpoint' : 'result',
        uri: blobKey,
        ...facts,
        columns: [...artifact.columns],
        ...(layout === null ? {} : { layout: { pieces: layout.pieces.map((piece) => ({ ...piece })) } }),
        ...(fileName === null ? {} : { fileName }),
        ...(key === undefined ? {} : { key }),
        ...(port === 'in' ? {} : { port }),
        ...(rowIds === undefined ? {} : { rowIds: toRowIds(rowIds) })
      },
      ...lineageTo(artifact, artifactId),
      ...(fileName === null ? [] : [say(`Wrote ${fileName}.`, artifact.nodeId)])
    )
    if (artifact.kind === 'table' && !isCheckpoint) tables.set(artifact.nodeId, artifactId)
  }

  /** Rows that an expression failed for; a warning where nobody reads them. */
  const rejectedWords = (nodeId: string, count: number): RunCommand[] => {
    if (count === 0) return []
    const isRead = graph.edges.some(({ from, fromPort }) => from === nodeId && fromPort === 'rejected')
    const left = `${rowsIn(count)} left by "rejected", because an expression cannot be computed for ${count === 1 ? 'it' : 'them'}.`
    const unread = `Nothing reads ${count === 1 ? 'it' : 'them'}: connect "rejected" to a sink to see which, or let the run fail at such rows.`
    const said = say(isRead ? left : `${left} ${unread}`, nodeId, { rejected: count })
    return [isRead ? said : { ...said, level: 'warn' }]
  }

  const recordReusedStep = async ({
    nodeId,
    runId: from,
    isPinned
  }: Reuse['steps'][number]): Promise<void> => {
    const { name, kind } = nodeOf(nodeId)
    const counts = await countsOf(context, from, nodeId)
    const stepId = stepIdOf(nodeId)
    await tell(
      ...(earlier.begun.has(nodeId) ? [] : [{ type: 'StartStep' as const, stepId, nodeId, name, kind }]),
      {
        type: 'FinishStep',
        stepId,
        stats: { ...counts, bytes: null, ms: 0, reused: { runId: from } }
      },
      say(
        isPinned
          ? 'Its pinned rows are used: nothing was computed.'
          : 'Reused from an earlier run: nothing that it depends on has changed.',
        nodeId,
        { runId: from }
      ),
      ...(isPinned ? [] : rejectedWords(nodeId, counts.rejected ?? 0))
    )
    board.step(runId, nodeId, { status: 'succeeded', rowsOut: counts.rowsOut, ms: 0 })
  }

  const recordReuse: Recorder['recordReuse'] = async ({ steps, artifacts }, signal) => {
    for (const step of steps) {
      throwIfCanceled(signal)
      // oxlint-disable-next-line no-await-in-loop -- in the plan's order
      if (!earlier.done.has(step.nodeId)) await recordReusedStep(step)
    }
    for (const { nodeId, relation, artifact } of artifacts) {
      if (artifact.run_id === runId) continue
      const artifactId = `artifact:${world.newId()}`
      const kind = artifact.kind === 'file' ? 'file' : 'table'
      const fileName = plan.sinks.find((sink) => sink.nodeId === nodeId)?.fileName ?? null
      // oxlint-disable-next-line no-await-in-loop -- a file comes after its table
      await tell(
        takeOver(artifact, {
          artifactId,
          stepId: stepIdOf(nodeId),
          nodeId,
          port: portOf(nodeId, relation),
          fileName
        }),
        ...lineageTo({ kind, nodeId, relation }, artifactId)
      )
      if (kind === 'table') tables.set(nodeId, artifactId)
    }
  }

  const listener: ExecutionListener = {
    stepStarted: async (nodeId) => {
      // What a resumed run had finished is only read again.
      if (earlier.done.has(nodeId) || earlier.begun.has(nodeId)) return
      const { name, kind } = nodeOf(nodeId)
      board.step(runId, nodeId, { status: 'running' })
      await tell({ type: 'StartStep', stepId: stepIdOf(nodeId), nodeId, name, kind })
      // Its requests are kept under the step, which must be there before they leave.
      if (kind === 'http') await writer.written()
    },
    stepProgressed: (nodeId, rows) => board.step(runId, nodeId, { rowsOut: rows }),
    stepRead: (nodeId, bytes) => {
      if (!earlier.done.has(nodeId)) board.step(runId, nodeId, { readBytes: bytes })
    },
    stepSucceeded: async (nodeId, stats) => {
      if (earlier.done.has(nodeId)) return
      board.step(runId, nodeId, { status: 'succeeded', rowsOut: stats.rowsOut, ms: stats.ms })
      await tell(
        { type: 'FinishStep', stepId: stepIdOf(nodeId), stats },
        say(
          `${stats.rowsOut === null ? 'Done' : `${rowsIn(stats.rowsOut)} out`}, after ${Math.round(stats.ms).toLocaleString('en')} ms.`,
          nodeId
        ),
        ...rejectedWords(nodeId, stats.rejected ?? 0)
      )
    },
    artifactWritten,
    log: async ({ nodeId, level, message, meta }) => {
      await tell({
        type: 'Log',
        logId: `log:${world.newId()}`,
        level,
        message,
        ...(nodeId === null ? {} : { stepId: stepIdOf(nodeId) }),
        ...(meta === undefined ? {} : { meta })
      })
    }
  }
  return { listener, recordSources, recordReuse }
}
