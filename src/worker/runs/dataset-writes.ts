import { FlowForgeError, toFlowForgeError, type DbContext } from '../../db/ports.ts'
import { catalogAggregate, type CatalogCommand } from '../../workflow/catalog/catalog-item.ts'
import { appendProblem, withDatasetFile, type DatasetFile } from '../../workflow/catalog/dataset.ts'
import { upstreamOf } from '../../workflow/graph-order.ts'
import { toSinkDataset, type SinkSpec } from '../../workflow/nodes/sink.ts'
import { runAggregate, type RunCommand } from '../../workflow/run/run.ts'
import type { AggregateStore } from '../aggregate-store.ts'
import { referencesOf } from '../catalog-items/reference-ids.ts'
import { createDatasets, expectNoDataSource } from '../datasets.ts'
import { arrowPieces, readPiece, toArrowFile } from '../engine/arrow-file.ts'
import { openArtifact } from '../engine/artifact-blob.ts'
import type { ExecutionOutcome } from '../engine/compute-engine.ts'
import { throwIfCanceled } from '../engine/engine-errors.ts'
import { openSourceBlob } from '../engine/source-tables.ts'
import type { World } from '../world.ts'
import type { RunWriter } from './run-writer.ts'
import type { QueuedRun } from './runner.ts'
import { artifactsOfRun, type StoredArtifact } from './stored-artifacts.ts'

type Parts = { readonly context: DbContext; readonly aggregates: AggregateStore; readonly world: World }

type Wish = { readonly nodeId: string } & NonNullable<SinkSpec['dataset']>
type Write = {
  readonly nodeId: string
  readonly name: string
  readonly itemId: string
  readonly command: Omit<Extract<CatalogCommand, { type: 'WriteDataset' }>, 'references'>
  readonly said: string
}

/** The sinks of a run that write datasets, in the graph's order. */
const wishesOf = ({ graph, until }: QueuedRun): readonly Wish[] => {
  const wanted = until === undefined ? null : upstreamOf(graph.edges, until)
  return graph.nodes.flatMap(({ id, kind, spec }) => {
    const dataset = kind === 'sink' && wanted?.has(id) !== false ? toSinkDataset(spec) : undefined
    return dataset === undefined ? [] : [{ nodeId: id, ...dataset }]
  })
}

const count = (rows: number): string => `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`

/** Puts the rows together in a file of their own; nothing names it yet. */
const prepare = async (
  { context, aggregates, world }: Parts,
  { nodeId, name, mode }: Wish,
  table: StoredArtifact,
  signal: AbortSignal
): Promise<Write> => {
  const { layout, columns, uri, rows } = table
  if (layout === undefined || columns === null || rows === null) throw new Error('A table has a layout.')
  const dataset = await createDatasets(context, aggregates).byName(name)
  const before: DatasetFile | undefined = mode === 'append' ? dataset?.file : undefined
  const problem = before && appendProblem(name, before.columns, columns)
  if (problem !== undefined) throw new FlowForgeError('CONFLICT', problem, { nodeId, name })
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    if (before !== undefined) yield* arrowPieces(await openSourceBlob(context.blobStore, before.location))
    const blob = await openArtifact(context.blobStore, uri)
    for (const piece of layout.pieces) yield await readPiece(blob, piece)
  }
  const cancelable = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces()) {
      throwIfCanceled(signal)
      yield piece
    }
  }
  const stored = await context.blobStore.putStream({
    prefix: 'datasets/',
    stream: toArrowFile(cancelable()),
    contentType: 'application/vnd.apache.arrow.stream'
  })
  const base = dataset?.latest ?? 0
  const content = withDatasetFile(dataset?.spec ?? {}, {
    location: stored.key,
    rows: rows + (before?.rows ?? 0),
    bytes: stored.size,
    version: base + 1,
    sha256: stored.sha256,
    columns: [...(before?.columns ?? columns)]
  })
  const did = before === undefined ? `Wrote ${count(rows)}` : `Added ${count(rows)}`
  return {
    nodeId,
    name,
    itemId: dataset?.itemId ?? `catalog:${world.newId()}`,
    command: { type: 'WriteDataset', name, base, content },
    said: `${did}: version ${base + 1} of the dataset "${name}".`
  }
}

const logOf = ({ runId }: QueuedRun, { newId }: World, nodeId: string, message: string): RunCommand => ({
  type: 'Log',
  logId: `log:${newId()}`,
  stepId: `${runId}/${nodeId}`,
  level: 'info',
  message
})

const prepareAll = async (
  parts: Parts,
  { runId }: QueuedRun,
  wishes: readonly Wish[],
  signal: AbortSignal
): Promise<readonly Write[] | Extract<ExecutionOutcome, { status: 'failed' }>> => {
  if (wishes.length === 0) return []
  const tables = (await artifactsOfRun(parts.context, runId)).filter(
    ({ role, kind }) => role === 'result' && kind === 'table'
  )
  const writes: Write[] = []
  for (const wish of wishes) {
    const { nodeId } = wish
    const table = tables.findLast((artifact) => artifact.nodeId === nodeId)
    if (table === undefined) throw new Error(`The run has no rows of its sink "${nodeId}".`)
    try {
      // oxlint-disable-next-line no-await-in-loop -- one file at a time
      writes.push(await prepare(parts, wish, table, signal))
    } catch (thrown) {
      throwIfCanceled(signal)
      return { status: 'failed', nodeId, message: toFlowForgeError(thrown).message }
    }
  }
  return writes
}

/**
 * Ends a run as succeeded, and writes its datasets and what is not yet written of it in the same transaction: either all
 * of it stands in the log or nothing. A
 * run that repeats another one, to compare it or to replay it, leaves datasets as they are.
 */
export const succeedRun = async (
  parts: Parts,
  run: QueuedRun,
  { writer, signal }: { writer: RunWriter; signal: AbortSignal }
): Promise<ExecutionOutcome> => {
  const { context, aggregates, world } = parts
  const { runId, cause } = run
  const wishes = wishesOf(run)
  // Datasets are written from rows that the run has written down.
  if (wishes.length > 0) await writer.written()
  const repeats = run.verifies !== undefined || run.replayOf !== undefined
  const writes = repeats ? [] : await prepareAll(parts, run, wishes, signal)
  if ('status' in writes) return writes
  const said = repeats
    ? wishes.map(({ nodeId, name }) =>
        logOf(run, world, nodeId, `The dataset "${name}" stays as it is: this run repeats another one.`)
      )
    : writes.map(({ nodeId, said: message }) => logOf(run, world, nodeId, message))
  const rest = await writer.rest()
  await context.tx.runInTransaction(async (tx) => {
    const store = aggregates.within(tx)
    const acting = store.causedBy(cause)
    for (const { name, itemId, command } of writes) {
      // oxlint-disable-next-line no-await-in-loop -- one transaction does one thing at a time
      await expectNoDataSource(tx, name)
      // oxlint-disable-next-line no-await-in-loop -- the same
      const references = await referencesOf(tx, store, command.content)
      // oxlint-disable-next-line no-await-in-loop -- the same
      await acting.execute(catalogAggregate, itemId, { ...command, references })
    }
    await acting.execute(runAggregate, runId, ...rest, ...said, { type: 'SucceedRun' })
  })
  return { status: 'succeeded' }
}
