import { computed, onScopeDispose, shallowRef, watch } from 'vue'
import type { RunProgress } from '../../worker/api.ts'
import type { ParameterValues } from '../../workflow/graph.ts'
import { useKeepsRowIds } from '../runs/useKeepsRowIds.ts'
import { useMemoryBudget } from '../runs/useMemoryBudget.ts'
import { useEndsAtRowErrors } from '../runs/useRowErrors.ts'
import { useRunLimits } from '../runs/useRunLimits.ts'
import { useLiveQuery } from '../useLiveQuery.ts'
import { useWorkerClient } from '../useWorkerClient.ts'
import { type NodeRun, readArtifact, readLog, readRun, readStep } from './run-rows.ts'
import type { WorkflowDraft } from './useWorkflow.ts'

/** How much of a workflow is run: to a node, from a node, all of it anew. What is left out is all that changed. */
export type RunHow = {
  readonly until?: string | undefined
  readonly from?: string | undefined
  readonly reuse?: 'changed' | 'none'
}

/** The last run of a workflow, as the database and the running worker tell it, and the way to start and stop one. */
export const useRun = (workflow: WorkflowDraft) => {
  const { flowforge, onProgress } = useWorkerClient()
  const limits = useRunLimits()
  const endsAtRowErrors = useEndsAtRowErrors()
  const keepsRowIds = useKeepsRowIds()
  const memory = useMemoryBudget()
  const error = shallowRef<unknown>(null)
  const starting = shallowRef(false)
  const progress = shallowRef<RunProgress | null>(null)
  /** A run that this screen started and whose end nobody was told of yet. */
  const startedHere = shallowRef<string | null>(null)

  const runs = useLiveQuery(
    `SELECT r.id, r.status, r.error_json, r.started_at, r.finished_at, r.created_at, v.version
       FROM runs r JOIN workflow_versions v ON v.id = r.workflow_version_id
      WHERE v.workflow_id = ?
      ORDER BY r.created_at DESC, r.rowid DESC
      LIMIT 1`,
    [workflow.workflowId],
    readRun
  )
  const run = computed(() => runs.rows.value[0] ?? null)
  const runId = computed(() => run.value?.id ?? '')
  const stepRows = useLiveQuery(
    `SELECT node_id, status, stats_json FROM run_steps WHERE run_id = ? ORDER BY started_at`,
    [runId],
    readStep
  )
  const logRows = useLiveQuery(
    `SELECT l.id, l.level, l.message, l.ts, s.node_id
       FROM run_logs l LEFT JOIN run_steps s ON s.id = l.run_step_id
      WHERE l.run_id = ?
      ORDER BY l.ts, l.rowid`,
    [runId],
    readLog
  )
  const artifactRows = useLiveQuery(
    `SELECT id, node_id, kind, format, rows, uri, sha256, schema_json, stats_json FROM artifacts
      WHERE run_id = ? ORDER BY created_at, rowid`,
    [runId],
    readArtifact
  )

  const isRunning = computed(
    () => starting.value || run.value?.status === 'queued' || run.value?.status === 'running'
  )

  /** By node id: the progress while it runs, the stored steps before and after. */
  const nodeRuns = computed<ReadonlyMap<string, NodeRun>>(() => {
    const byNode = new Map(stepRows.rows.value.map((step) => [step.nodeId, step]))
    const live = progress.value
    if (live === null || live.runId !== run.value?.id) return byNode
    for (const [nodeId, step] of Object.entries(live.steps)) {
      const stored = byNode.get(nodeId)
      byNode.set(nodeId, {
        nodeId,
        status: isRunning.value ? step.status : (stored?.status ?? step.status),
        rowsOut: step.rowsOut ?? stored?.rowsOut ?? null,
        ms: step.ms ?? stored?.ms ?? null,
        readBytes: isRunning.value && step.status === 'running' ? step.readBytes : undefined,
        rejected: stored?.rejected ?? null
      })
    }
    return byNode
  })

  const start = async (options: RunHow & { parameters?: ParameterValues } = {}): Promise<void> => {
    if (isRunning.value) return
    error.value = null
    starting.value = true
    try {
      await workflow.flush()
      const started = await flowforge.runs.start({
        workflowId: workflow.workflowId,
        trigger: 'manual',
        memory: memory.value,
        ...(keepsRowIds.value ? { rowIds: true } : {}),
        ...(endsAtRowErrors.value ? { onRowError: 'fail' as const } : {}),
        ...(Object.keys(limits.value).length === 0 ? {} : { limits: { ...limits.value } }),
        ...options
      })
      startedHere.value = started.runId
    } catch (thrown) {
      error.value = thrown
    } finally {
      starting.value = false
    }
  }

  const cancel = async (): Promise<void> => {
    if (runId.value === '') return
    try {
      await flowforge.runs.cancel({ runId: runId.value })
    } catch (thrown) {
      error.value = thrown
    }
  }

  /** Calls back once when a run that was started here has ended. */
  const onEnded = (listener: (status: string) => void): void => {
    watch(
      [run, startedHere],
      ([now, started]) => {
        if (now === null || now.id !== started || now.status === 'queued' || now.status === 'running') return
        startedHere.value = null
        listener(now.status)
      },
      { flush: 'post' }
    )
  }

  onScopeDispose(
    onProgress((next) => {
      if (next.runId === runId.value || next.runId === startedHere.value) progress.value = next
    })
  )

  return {
    run,
    isRunning,
    elapsedMs: computed(() =>
      progress.value?.runId === run.value?.id ? progress.value?.elapsedMs : undefined
    ),
    nodeRuns,
    logs: logRows.rows,
    artifacts: artifactRows.rows,
    queryError: computed(
      () => runs.error.value ?? stepRows.error.value ?? logRows.error.value ?? artifactRows.error.value
    ),
    error,
    start,
    cancel,
    onEnded
  }
}
export type WorkflowRun = ReturnType<typeof useRun>
