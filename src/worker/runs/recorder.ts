import type { Graph, GraphNode } from '../../workflow/graph.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import { columnEdge, COPIED } from '../../workflow/lineage/lineage-edge.ts'
import { columnLineage } from '../../workflow/lineage/column-lineage.ts'
import { runAggregate, type RunCommand } from '../../workflow/run/run.ts'
import type { AggregateStore } from '../aggregate-store.ts'
import type { CatalogSource } from '../catalog.ts'
import type { ExecutionListener, WrittenArtifact } from '../engine/compute-engine.ts'
import type { World } from '../world.ts'
import type { ProgressBoard } from './progress.ts'

type Parts = { aggregates: Pick<AggregateStore, 'execute'>; board: ProgressBoard; world: World }

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

/**
 * Writes down what the engine does in a run: each of its words becomes a command on the run, and so an event, rows and
 * progress. `sources` are the run's files by the id of the node that reads them.
 */
export const createRecorder = (
  { aggregates, board, world }: Parts,
  run: { runId: string; graph: Graph; plan: Plan; sources: ReadonlyMap<string, CatalogSource> }
): { listener: ExecutionListener; recordSources: () => Promise<void> } => {
  const { runId, graph, plan, sources } = run
  const stepIdOf = (nodeId: string): string => `${runId}/${nodeId}`
  const sourceArtifacts = new Map<string, string>()
  const lineage = columnLineage(graph, plan)
  /** A node's table, which its file is made from. */
  const tables = new Map<string, string>()
  const nodeOf = (nodeId: string): GraphNode => {
    const node = graph.nodes.find(({ id }) => id === nodeId)
    if (node === undefined)
      throw new Error(`The engine spoke of a node "${nodeId}" that the graph does not have.`)
    return node
  }
  const tell = (...commands: RunCommand[]) => aggregates.execute(runAggregate, runId, ...commands)

  const say = (message: string, nodeId?: string): RunCommand => ({
    type: 'Log',
    logId: `log:${world.newId()}`,
    level: 'info',
    message,
    ...(nodeId === undefined ? {} : { stepId: stepIdOf(nodeId) })
  })

  const recordSources = async (): Promise<void> => {
    const commands = [...sources].flatMap(([nodeId, { name, config }]): RunCommand[] => {
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

  const lineageTo = (artifact: WrittenArtifact, artifactId: string): RunCommand[] => {
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

  const artifactWritten = async (artifact: WrittenArtifact): Promise<void> => {
    const artifactId = `artifact:${world.newId()}`
    const { layout, fileName, blobKey, relation: _, ...facts } = artifact
    await tell(
      {
        type: 'WriteArtifact',
        artifactId,
        stepId: stepIdOf(artifact.nodeId),
        role: 'result',
        uri: blobKey,
        ...facts,
        columns: [...artifact.columns],
        ...(layout === null ? {} : { layout: { pieces: layout.pieces.map((piece) => ({ ...piece })) } }),
        ...(fileName === null ? {} : { fileName })
      },
      ...lineageTo(artifact, artifactId),
      ...(fileName === null ? [] : [say(`Wrote ${fileName}.`, artifact.nodeId)])
    )
    if (artifact.kind === 'table') tables.set(artifact.nodeId, artifactId)
  }

  const listener: ExecutionListener = {
    stepStarted: async (nodeId) => {
      const { name, kind } = nodeOf(nodeId)
      board.step(runId, nodeId, { status: 'running' })
      await tell({ type: 'StartStep', stepId: stepIdOf(nodeId), nodeId, name, kind })
    },
    stepProgressed: (nodeId, rows) => board.step(runId, nodeId, { rowsOut: rows }),
    stepSucceeded: async (nodeId, stats) => {
      board.step(runId, nodeId, { status: 'succeeded', rowsOut: stats.rowsOut, ms: stats.ms })
      await tell(
        { type: 'FinishStep', stepId: stepIdOf(nodeId), stats },
        say(
          `${stats.rowsOut === null ? 'Done' : `${rowsIn(stats.rowsOut)} out`}, after ${Math.round(stats.ms).toLocaleString('en')} ms.`,
          nodeId
        )
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
  return { listener, recordSources }
}
