import { onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import { isFlowForgeError, type Page } from '../../worker/api.ts'
import { useWorkerClient } from '../useWorkerClient.ts'
import type { PortRef } from './graph/graph-edits.ts'
import type { WorkflowDraft } from './useWorkflow.ts'

export const PREVIEW_ROWS = 1_000
/** Only what takes longer than this is said to be under way. */
const WORKING_MS = 300

export type PortPreview = {
  readonly port: PortRef
  readonly page: (Page & { readonly isTried?: boolean }) | null
  readonly error: unknown
  readonly working: boolean
}

/**
 * First rows of the wanted ports, read again after each edit. The worker does one preview at a time and a newer one
 * cancels an older one, so they are asked for one after the other.
 */
export const usePreview = (workflow: WorkflowDraft, wanted: Readonly<Ref<readonly PortRef[]>>) => {
  const { flowforge } = useWorkerClient()
  const previews = shallowRef<readonly PortPreview[]>([])
  let round = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const keyOf = ({ nodeId, port }: PortRef): string => `${nodeId}.${port}`
  const put = (preview: PortPreview): void => {
    previews.value = previews.value.map((other) =>
      keyOf(other.port) === keyOf(preview.port) ? preview : other
    )
  }

  const readPort = async (port: PortRef): Promise<PortPreview> => {
    try {
      const page = await flowforge.workflows.preview({
        workflowId: workflow.workflowId,
        nodeId: port.nodeId,
        port: port.port,
        limit: PREVIEW_ROWS
      })
      return { port, page, error: null, working: false }
    } catch (error) {
      return { port, page: null, error, working: false }
    }
  }

  const look = async (ports: readonly PortRef[]): Promise<void> => {
    round += 1
    const mine = round
    clearTimeout(timer)
    // Rows that are there stay on the screen until newer ones come.
    previews.value = ports.map((port) => ({
      port,
      page: previews.value.find((old) => keyOf(old.port) === keyOf(port))?.page ?? null,
      error: null,
      working: false
    }))
    timer = setTimeout(() => {
      previews.value = previews.value.map((preview) =>
        preview.page === null || preview.error === null ? { ...preview, working: true } : preview
      )
    }, WORKING_MS)
    for (const port of ports) {
      const preview = await readPort(port)
      if (mine !== round) return
      // Canceled by a preview from elsewhere (another tab's): what was shown is still the best there is.
      const canceled = isFlowForgeError(preview.error) && preview.error.code === 'CANCELED'
      if (!canceled) put(preview)
    }
    clearTimeout(timer)
    previews.value = previews.value.map((preview) => ({ ...preview, working: false }))
  }

  watch(
    [() => wanted.value.map(keyOf).join(' '), () => workflow.view.value?.seq],
    ([, seq]) => {
      if (seq !== undefined) void look(wanted.value)
    },
    { immediate: true }
  )
  onScopeDispose(() => {
    round += 1
    clearTimeout(timer)
  })

  return { previews }
}
