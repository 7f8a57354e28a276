import { computed, onScopeDispose, shallowRef, watch } from 'vue'
import type { WorkflowView } from '../../worker/api.ts'
import type { GraphChange } from '../../workflow/change.ts'
import { EMPTY_GRAPH } from '../../workflow/graph.ts'
import { useLiveQuery } from '../useLiveQuery.ts'
import { useWorkerClient } from '../useWorkerClient.ts'
import { createEditQueue, type EditQueue, type EditState } from './edit-queue.ts'

export type SaveState = 'saved' | 'saving'

/** One workflow's draft: what the screen draws, and every way to change it. */
export const useWorkflow = (workflowId: string) => {
  const { flowforge } = useWorkerClient()
  const state = shallowRef<EditState | null>(null)
  /** Why the workflow could not be opened. */
  const loadError = shallowRef<unknown>(null)
  /** Why the last edit was taken back, until it is dismissed. */
  const refusal = shallowRef<unknown>(null)
  let queue: EditQueue | null = null

  const refuse = (error: unknown): void => {
    refusal.value = error
  }

  const open = async (): Promise<void> => {
    loadError.value = null
    try {
      const view = await flowforge.workflows.get({ workflowId })
      state.value = { view, graph: view.graph, saving: false }
      queue = createEditQueue({
        view,
        send: (changes) => flowforge.workflows.edit({ workflowId, changes: [...changes] }),
        onState: (next) => {
          state.value = next
        },
        onRefused: refuse
      })
    } catch (error) {
      loadError.value = error
    }
  }

  const replace = async (load: () => Promise<WorkflowView>): Promise<void> => {
    try {
      await queue?.replace(load)
    } catch (error) {
      refuse(error)
    }
  }
  const flush = async (): Promise<void> => {
    await queue?.flush()
  }
  const reload = (): Promise<void> => replace(() => flowforge.workflows.get({ workflowId }))

  /** For calls that change the workflow beside its graph: flushed first, read again after. */
  const change = async (call: () => Promise<unknown>): Promise<boolean> => {
    await flush()
    try {
      await call()
      await reload()
      return true
    } catch (error) {
      refuse(error)
      return false
    }
  }

  // Another tab, a script or an undo elsewhere may change the same draft.
  const lastSeq = useLiveQuery('SELECT max(seq) AS seq FROM events WHERE aggregate_id = ?', [workflowId])
  watch(
    () => Number(lastSeq.rows.value[0]?.['seq'] ?? 0),
    (seq) => {
      const now = state.value
      if (now !== null && !now.saving && seq > now.view.seq) void reload()
    }
  )

  const flushHidden = (): void => {
    if (document.visibilityState === 'hidden') void flush()
  }
  document.addEventListener('visibilitychange', flushHidden)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', flushHidden)
    void flush()
  })

  void open()

  return {
    workflowId,
    view: computed(() => state.value?.view ?? null),
    graph: computed(() => state.value?.graph ?? EMPTY_GRAPH),
    saving: computed(() => state.value?.saving ?? false),
    loadError,
    refusal,
    open,
    flush,
    edit: (changes: readonly GraphChange[]) => queue?.edit(changes),
    type: (textKey: string, changes: readonly GraphChange[]) => queue?.type(textKey, changes),
    undo: () => replace(() => flowforge.workflows.undo({ workflowId })),
    redo: () => replace(() => flowforge.workflows.redo({ workflowId })),
    rename: (name: string) => change(() => flowforge.workflows.describe({ workflowId, name })),
    publish: () => change(() => flowforge.workflows.publish({ workflowId }))
  }
}
export type WorkflowDraft = ReturnType<typeof useWorkflow>
