import { toFlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import type {
  Plan,
  PlannedRelation,
  PlannedRequests,
  PlannedSink,
  PlannedStep
} from '../../workflow/plan-types.ts'
import { toQuery } from '../../workflow/query.ts'
import { MEMORY_BUDGET } from '../../workflow/run/memory-budget.ts'
import { openArtifact } from './artifact-blob.ts'
import { toPieces } from './arrow-pieces.ts'
import type {
  ArrowLayout,
  Checkpoints,
  ComputeEngine,
  ExecutionListener,
  ExecutionOutcome,
  PreparedSources,
  StoredRelation,
  WrittenArtifact
} from './compute-engine.ts'
import { toArrowQuery } from './duckdb-types.ts'
import { throwIfCanceled } from './engine-errors.ts'
import type { AskService } from './ask-service.ts'
import { findFailingNode } from './failing-node.ts'
import { neededFor, preparedSource, provideSource, setParameters } from './plan-session.ts'
import { MEDIA_TYPES } from './media-types.ts'
import { toFile } from './sink-files.ts'
import { fillAnswers } from './service-answers.ts'
import { createLosses } from './sink-losses.ts'
import type { Sessions, Workplace } from './sessions.ts'
import type { SourceTables } from './source-tables.ts'
import { watchLimits, type LimitWatch } from './run-limits.ts'
import { carryOutTasks, createEnding, type Ending, type Task } from './schedule.ts'
import { takingTurns } from './session-turns.ts'
import { keepRows, mostKept } from './shared-rows.ts'
import { fillFromStored } from './stored-relations.ts'
import { createStepCounts, type StepCounts } from './step-counts.ts'

type Parts = { readonly sessions: Sessions; readonly tables: SourceTables; readonly blobStore: BlobStorePort }

type Run = {
  readonly parts: Parts
  readonly place: Workplace
  readonly plan: Plan
  readonly sources: PreparedSources
  readonly listener: ExecutionListener
  readonly known: ReadonlyMap<string, StoredRelation>
  readonly checkpoints: Checkpoints
  readonly ask: AskService | undefined
  readonly limits: LimitWatch
  readonly counts: StepCounts
  readonly ending: Ending
  /** Relations that are tables or views by now. */
  readonly tables: Set<string>
  /** Nodes whose steps somebody carries out, or has. */
  readonly begun: Set<string>
  /** Nodes whose start was told. */
  readonly told: Set<string>
  /** Bytes. */
  readonly memoryBudget: number
}

/** A run's failure at a node. */
class StepFailure extends Error {
  readonly nodeId: string | null
  constructor(nodeId: string | null, cause: unknown) {
    super('A step failed.', { cause })
    this.nodeId = nodeId
  }
}

const PROGRESS_MS = 100
/** What took longer is slow: writing it down costs less than computing it a second time. */
const SLOW_MS = 1_000

const relationOf = (plan: Plan, id: string): Plan['relations'][number] => {
  const relation = plan.relations.find((known) => known.id === id)
  if (relation === undefined) throw new Error(`The plan has no relation "${id}".`)
  return relation
}

/** Steps that are done once these relations have been evaluated, in the plan's order. */
const stepsFor = ({ plan, begun }: Run, relationIds: readonly string[]): readonly PlannedStep[] => {
  const needed = neededFor(plan, relationIds)
  const nodes = new Set(plan.relations.filter(({ id }) => needed.has(id)).map(({ nodeId }) => nodeId))
  return plan.steps.filter(({ nodeId, outputs }) => {
    // A condition on an edge belongs to the node behind it, which is not done with it.
    return !begun.has(nodeId) && nodes.has(nodeId) && outputs.some((id) => needed.has(id))
  })
}

/** Answers with what was written, and for which node. */
type Work = () => Promise<{ bytes: number | null; nodeId: string | null } | null>

/** Carries one query out for all steps that are fused in it; they start and end with it, unless it answers with null. */
const unit = async (run: Run, relationIds: readonly string[], work: Work): Promise<void> => {
  const { listener, begun, told, place, plan } = run
  const steps = stepsFor(run, relationIds)
  for (const { nodeId } of steps) begun.add(nodeId)
  for (const { nodeId } of steps) {
    if (told.has(nodeId)) continue
    told.add(nodeId)
    await listener.stepStarted(nodeId)
  }
  // While a service is asked, it is others that read.
  const isAsking = relationIds.some((id) => asks(plan, relationOf(plan, id).nodeId))
  const endFollowing = place.instance.reads.follow((bytes) => {
    if (!isAsking) for (const { nodeId } of steps) listener.stepRead(nodeId, bytes)
  })
  try {
    await carryOutSteps(run, relationIds, steps, work)
  } finally {
    endFollowing()
  }
}

const asks = (plan: Plan, node: string): boolean =>
  plan.relations.some(({ nodeId, external }) => nodeId === node && external !== undefined)

const carryOutSteps = async (
  { listener, counts, tables, begun, place, plan }: Run,
  relationIds: readonly string[],
  steps: readonly PlannedStep[],
  work: Work
): Promise<void> => {
  const start = performance.now()
  const done = await work().catch(async (thrown: unknown) => {
    throwIfCanceled(place.signal)
    const ids = [...neededFor(plan, relationIds)]
    const nodeId = await findFailingNode(place.session, plan, ids, tables, thrown)
    throw new StepFailure(nodeId ?? relationOf(plan, relationIds.at(-1) ?? '').nodeId, thrown)
  })
  if (done === null) {
    // Whoever needs them next carries them out.
    for (const { nodeId } of steps) begun.delete(nodeId)
    return
  }
  const ms = performance.now() - start
  const asked = place.instance.memoryBytes()
  // It fails with the engine, and then what counts the rows fails, too.
  asked.catch(() => undefined)
  for (const step of steps) {
    const rows = await counts.of(step, tables)
    const bytes = step.nodeId === done.nodeId ? done.bytes : null
    const memoryBytes = await asked
    await listener.stepSucceeded(step.nodeId, { ...rows, bytes, ms, memoryBytes })
  }
}

/** Rows of earlier runs; their steps are not this run's. */
const loadKnown = async (run: Run): Promise<void> => {
  const { parts, place, plan, known, counts, tables } = run
  for (const [id, stored] of known) {
    await fillFromStored(place.session, parts.blobStore, relationOf(plan, id), stored)
    counts.set(id, stored.rows)
    tables.add(id)
  }
}

const readSources = async (run: Run, needed: ReadonlySet<string>): Promise<void> => {
  const { parts, place, plan, sources, counts, tables } = run
  for (const { id, source } of plan.relations) {
    if (source === null || !needed.has(id)) continue
    const prepared = preparedSource(sources, source.dataSourceId, source.options)
    await unit(run, [id], async () => {
      await provideSource(place, parts.tables, id, prepared)
      counts.set(id, prepared.rows)
      tables.add(id)
      return { bytes: null, nodeId: null }
    })
  }
}

/** Bytes on their way to the blob store: a cancel stops them, and they count. */
const counted = ({ place, limits }: Run): TransformStream<Uint8Array, Uint8Array> =>
  new TransformStream({
    transform: (chunk, controller) => {
      throwIfCanceled(place.signal)
      limits.wrote({ bytes: chunk.length })
      controller.enqueue(chunk)
    }
  })

/** Streams a relation's rows into the blob store. */
const writeTable = async (
  run: Run,
  relationId: string,
  nodeId: string,
  isCheckpoint = false
): Promise<WrittenArtifact> => {
  const { parts, place, plan, listener, counts, tables } = run
  const { columns } = relationOf(plan, relationId)
  let told = 0
  let before = 0
  const onRows = (rows: number): void => {
    if (!isCheckpoint) run.limits.wrote({ rows: rows - before })
    before = rows
    const now = performance.now()
    if (now - told < PROGRESS_MS) return
    told = now
    listener.stepProgressed(nodeId, rows)
  }
  const query = toArrowQuery(toQuery(plan, relationId, tables), columns)
  const pieces = toPieces(place.session.stream(query), onRows)
  const stored = await parts.blobStore.putStream({
    prefix: 'artifacts/',
    stream: pieces.stream.pipeThrough(counted(run)),
    contentType: 'application/vnd.apache.arrow.stream'
  })
  const rows = pieces.rows()
  counts.set(relationId, rows)
  const artifact: WrittenArtifact = {
    nodeId,
    relation: relationId,
    isCheckpoint,
    kind: 'table',
    blobKey: stored.key,
    sha256: stored.sha256,
    format: 'arrow',
    columns,
    rows,
    bytes: stored.size,
    layout: pieces.layout(),
    fileName: null
  }
  await listener.artifactWritten(artifact)
  return artifact
}

const writeFile = async (
  run: Run,
  { format, fileName, nodeId, keepsFormulas }: PlannedSink,
  table: WrittenArtifact,
  layout: ArrowLayout
): Promise<number> => {
  const { parts, place, listener } = run
  const { columns, rows } = table
  const blob = await openArtifact(parts.blobStore, table.blobKey)
  throwIfCanceled(place.signal)
  const losses = createLosses()
  const wish = { format, keepsFormulas, losses, signal: place.signal }
  const file = await toFile({ blob, layout, columns }, wish)
  const stored = await parts.blobStore.putStream({
    prefix: 'artifacts/',
    stream: file.pipeThrough(counted(run)),
    contentType: MEDIA_TYPES[format]
  })
  await listener.artifactWritten({
    nodeId,
    relation: table.relation,
    kind: 'file',
    blobKey: stored.key,
    sha256: stored.sha256,
    format: format === 'ndjson' ? 'json' : format,
    columns,
    rows,
    bytes: stored.size,
    layout: null,
    fileName
  })
  for (const message of losses.messages()) await listener.log({ nodeId, level: 'warn', message })
  return stored.size
}

const writeSink = async (run: Run, sink: PlannedSink): Promise<void> => {
  await unit(run, [sink.relation], async () => {
    const table = await writeTable(run, sink.relation, sink.nodeId)
    if (table.layout === null) throw new Error('A table has a layout.')
    const bytes = await writeFile(run, sink, table, table.layout).catch((thrown: unknown) => {
      throwIfCanceled(run.place.signal)
      throw new StepFailure(sink.nodeId, thrown)
    })
    return { bytes, nodeId: sink.nodeId }
  })
}

const tooMany = (most: number): string =>
  `More than ${most.toLocaleString('en')} rows go on from here to several steps: too many to be kept in the memory that a run may take. They are computed again for each step that reads them.`

/** What several read becomes a table, unless it is too large; what nobody reads was asked for by "run to here" and becomes a result. */
const writeShared = async (run: Run, relationId: string): Promise<void> => {
  const { place, plan, tables, counts, checkpoints } = run
  const isRead = plan.relations.some(({ dependsOn }) => dependsOn.includes(relationId))
  const isSink = plan.sinks.some(({ relation }) => relation === relationId)
  const { nodeId, columns } = relationOf(plan, relationId)
  await unit(run, [relationId], async () => {
    if (!isRead && !isSink) {
      const { bytes } = await writeTable(run, relationId, nodeId)
      return { bytes, nodeId }
    }
    const start = performance.now()
    const most = mostKept(columns, run.memoryBudget)
    const query = toQuery(plan, relationId, tables)
    const rows = await keepRows(place.session, { id: relationId, query }, most)
    if (rows === null) {
      await run.listener.log({ nodeId, level: 'info', message: tooMany(most) })
      return null
    }
    counts.set(relationId, rows)
    tables.add(relationId)
    // What lies inside a node belongs to no step that has begun.
    const isOutput = plan.steps.some(({ outputs }) => outputs.includes(relationId))
    if (!isOutput) return { bytes: null, nodeId: null }
    const isSlow = performance.now() - start >= SLOW_MS
    if (checkpoints === 'none' || (checkpoints === 'slow' && !isSlow)) return { bytes: null, nodeId: null }
    const { bytes } = await writeTable(run, relationId, nodeId, true)
    return { bytes, nodeId }
  })
}

/** The step lasts as long as its requests: it starts before the first and ends with what leaves it. */
const askService = async (
  run: Run,
  relation: PlannedRelation,
  requests: PlannedRequests,
  onAsking: () => void
): Promise<void> => {
  const { place, plan, listener, ask, counts, tables, limits, ending } = run
  const { id, nodeId } = relation
  const outputs = plan.steps.find((step) => step.nodeId === nodeId)?.outputs ?? []
  await unit(run, outputs, async () => {
    const onAnswered = (count: number): void => listener.stepProgressed(nodeId, count)
    const args = { signal: limits.signal, ending: ending.signal, onAsking, onAnswered }
    counts.set(id, await fillAnswers(place.session, relation, requests, ask, args))
    tables.add(id)
    return { bytes: null, nodeId }
  })
}

const tasksOf = (run: Run): readonly Task[] => {
  const { plan, tables } = run
  const shared = plan.shared.flatMap((id): Task[] => {
    if (tables.has(id)) return []
    const relation = relationOf(plan, id)
    const { external } = relation
    const needs = [...neededFor(plan, [id])].filter((needed) => needed !== id)
    const task = { gives: id, needs }
    return external === undefined
      ? [{ ...task, isAsking: false, work: () => writeShared(run, id) }]
      : [{ ...task, isAsking: true, work: (free) => askService(run, relation, external, free) }]
  })
  const sinks = plan.sinks.map((sink): Task => {
    const needs = [...neededFor(plan, [sink.relation])]
    return { gives: `sink ${sink.nodeId}`, needs, isAsking: false, work: () => writeSink(run, sink) }
  })
  return [...shared, ...sinks]
}

const carryOut = async (run: Run): Promise<void> => {
  const { place, plan } = run
  await setParameters(place.session, plan.parameters)
  await loadKnown(run)
  await readSources(run, new Set(plan.relations.map(({ id }) => id)))
  await carryOutTasks(tasksOf(run), run.ending)
  // Branches that no sink reads: they are evaluated to be counted, and fail like the others.
  for (const { nodeId, outputs } of plan.steps) {
    if (run.begun.has(nodeId)) continue
    await unit(run, outputs, async () => ({ bytes: null, nodeId }))
  }
}

const failed = async (
  thrown: unknown,
  listener: ExecutionListener,
  mayReject: (nodeId: string) => boolean
): Promise<ExecutionOutcome> => {
  const nodeId = thrown instanceof StepFailure ? thrown.nodeId : null
  const error = toFlowForgeError(thrown instanceof StepFailure ? innermost(thrown) : thrown)
  const details = { code: error.code, ...error.details }
  const outcome = { status: 'failed' as const, nodeId, message: error.message, details }
  if (nodeId !== null && error.details['reason'] === 'query' && mayReject(nodeId)) {
    return { ...outcome, mayReject: true }
  }
  await listener.log({ nodeId, level: 'error', message: error.message, meta: details })
  return outcome
}

const innermost = (failure: StepFailure): unknown =>
  failure.cause instanceof StepFailure ? innermost(failure.cause) : failure.cause

/** Carries a plan out; see `ComputeEngine.execute`. */
export const executePlan =
  (parts: Parts): ComputeEngine['execute'] =>
  async ({
    plan,
    sources,
    signal,
    listener,
    known = new Map(),
    checkpoints = 'none',
    limits = {},
    memoryBudget,
    ask,
    mayReject = () => false
  }) => {
    const watch = watchLimits(limits, signal)
    const ending = createEnding()
    try {
      const options = { signal: watch.signal, ending: ending.signal, urgency: 'run', memoryBudget } as const
      await parts.sessions.work(options, (whole) => {
        const place = { ...whole, session: takingTurns(whole.session) }
        return carryOut({
          parts,
          place,
          ending,
          plan,
          sources,
          listener,
          known,
          checkpoints,
          ask,
          limits: watch,
          counts: createStepCounts(plan, place.session),
          tables: new Set(),
          begun: new Set(),
          told: new Set(),
          memoryBudget: memoryBudget ?? MEMORY_BUDGET
        })
      })
      return { status: 'succeeded' }
    } catch (thrown) {
      if (signal.aborted) return { status: 'canceled' }
      return failed(watch.passed() ?? thrown, listener, mayReject)
    } finally {
      watch.end()
    }
  }
