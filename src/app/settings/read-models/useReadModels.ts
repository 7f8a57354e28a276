import { ref, shallowRef, watch } from 'vue'
import type { ProjectionStatus } from '../../../worker/api.ts'
import { useLiveQuery } from '../../useLiveQuery.ts'
import { useWorkerClient } from '../../useWorkerClient.ts'

/** Changes whenever a read model moves, stops or goes on. */
const MOVES = `SELECT (SELECT max(position) FROM events) AS head,
  (SELECT group_concat(position) FROM projection_checkpoints) AS checkpoints,
  (SELECT group_concat(concat_ws('|', projection, paused_at, parked_at, rebuild_position)) FROM projection_states) AS states`

/** The read models as they stand, and what a person can do with them. A failure stands in `error` until the next try. */
export const useReadModels = () => {
  const { flowforge } = useWorkerClient()
  const models = shallowRef<readonly ProjectionStatus[]>([])
  const error = shallowRef<unknown>(null)
  const busy = ref<string | null>(null)
  const moves = useLiveQuery(MOVES)
  let isAsking = false
  let isStale = false

  const refresh = async (): Promise<void> => {
    isStale = true
    if (isAsking) return
    isAsking = true
    try {
      while (isStale) {
        isStale = false
        // oxlint-disable-next-line no-await-in-loop -- once more for what moved meanwhile
        models.value = await flowforge.projections.list()
      }
    } catch (thrown) {
      error.value = thrown
    } finally {
      isAsking = false
    }
  }
  watch([moves.rows, moves.error], () => void refresh())

  const attempt = async (projection: string, act: () => Promise<void>): Promise<void> => {
    busy.value = projection
    error.value = null
    try {
      await act()
    } catch (thrown) {
      error.value = thrown
    } finally {
      busy.value = null
      await refresh()
    }
  }
  const { projections } = flowforge
  return {
    models,
    error,
    busy,
    pause: (projection: string) => attempt(projection, () => projections.pause({ projection })),
    resume: (projection: string) => attempt(projection, () => projections.resume({ projection })),
    retry: (projection: string) => attempt(projection, () => projections.retry({ projection })),
    rebuild: (projection: string) => attempt(projection, () => projections.rebuild({ projection })),
    /** Fails to its caller: the dialog that asked says why. */
    skip: async (projection: string, eventId: string): Promise<void> => {
      await projections.skip({ projection, eventId })
      await refresh()
    }
  }
}
