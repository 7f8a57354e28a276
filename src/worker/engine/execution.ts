import { toFlowForgeError } from '../../db/ports.ts'
import type { PlannedRelation, PlannedRequests } from '../../workflow/plan-types.ts'
import { MEMORY_BUDGET } from '../../workflow/run/memory-budget.ts'
import type { ComputeEngine, ExecutionListener, ExecutionOutcome } from './compute-engine.ts'
import { neededFor, preparedSource, provideSource, setParameters } from './plan-session.ts'
import { relationOf, StepFailure, type Execution, type Parts } from './plan-under-way.ts'
import { writeSink, writeTable } from './result-writing.ts'
import { keepMarked, markUnknown } from './row-ids.ts'
import { watchLimits } from './run-limits.ts'
import { carryOutTasks, createEnding, type Task } from './schedule.ts'
import { fillAnswers } from './service-answers.ts'
import { takingTurns } from './session-turns.ts'
import { keepRows, mostKept } from './shared-rows.ts'
import { createStepCounts } from './step-counts.ts'
import { unit } from './step-unit.ts'
import { fillFromStored } from './stored-relations.ts'

/** What took longer is slow: writing it down costs less than computing it a second time. */
const SLOW_MS = 1_000

/** Rows of earlier runs; their steps are not this run's. */
const loadKnown = async (run: Execution): Promise<void> => {
  const { parts, place, plan, known, counts, tables, rowIds } = run
  for (const [id, stored] of known) {
    await fillFromStored(place.session, parts.blobStore, relationOf(plan, id), stored)
    counts.set(id, stored.rows)
    tables.add(id)
    if (rowIds !== undefined) await markUnknown(place.session, rowIds, id)
  }
}

const readSources = async (run: Execution, needed: ReadonlySet<string>): Promise<void> => {
  const { parts, place, plan, sources, counts, tables } = run
  for (const { id, source } of plan.relations) {
    if (source === null || !needed.has(id)) continue
    const prepared = preparedSource(sources, source.dataSourceId, source.options)
    await unit(run, [id], async () => {
      await provideSource(place, parts.tables, id, prepared, run.rowIds)
      counts.set(id, prepared.rows)
      tables.add(id)
      return { bytes: null, nodeId: null, isNothing: true }
    })
  }
}

const tooMany = (most: number): string =>
  `More than ${most.toLocaleString('en')} rows go on from here to several steps: too many to be kept in the memory that a run may take. They are computed again for each step that reads them.`

/** What several read becomes a table, unless it is too large; what was asked for by "run to here", or is read by nobody, becomes a result. */
const writeShared = async (run: Execution, relationId: string): Promise<void> => {
  const { plan, tables, counts, checkpoints, place } = run
  const isRead = plan.relations.some(({ dependsOn }) => dependsOn.includes(relationId))
  const isSink = plan.sinks.some(({ relation }) => relation === relationId)
  const { nodeId, columns } = relationOf(plan, relationId)
  await unit(run, [relationId], async () => {
    if (plan.wanted.includes(relationId) || (!isRead && !isSink)) {
      const { bytes } = await writeTable(run, relationId, nodeId)
      return { bytes, nodeId }
    }
    const start = performance.now()
    const most = mostKept(columns, run.memoryBudget)
    const rows = await keepMarked(run, { id: relationId, columns }, most, (id, query) =>
      keepRows(place.session, { id, query }, most)
    )
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
  run: Execution,
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

const tasksOf = (run: Execution): readonly Task[] => {
  const { plan, tables, known } = run
  const shared = plan.shared.flatMap((id): Task[] => {
    // A source's rows stand there already; a run to the source, or a dataset that is fed by it, still wants them written.
    if (known.has(id) || (tables.has(id) && !plan.wanted.includes(id))) return []
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

const carryOut = async (run: Execution): Promise<void> => {
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
    spent,
    memoryBudget,
    ask,
    rowIds,
    mayReject = () => false
  }) => {
    const watch = watchLimits(limits, signal, spent)
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
          memoryBudget: memoryBudget ?? MEMORY_BUDGET,
          rowIds: rowIds === undefined ? undefined : { plan: rowIds, standsAs: new Map() }
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
