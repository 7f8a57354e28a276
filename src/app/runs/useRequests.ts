import { computed, ref, watch, type Ref } from 'vue'
import type { SentRequest } from '../../worker/api.ts'
import { useLiveQuery } from '../useLiveQuery.ts'
import { useWorkerClient } from '../useWorkerClient.ts'

const PAGE = 200
/** Changes whenever an attempt of the run begins or ends. */
const MARK = `SELECT count(*) || '/' || count(q.response_json) AS mark FROM request_executions q
  JOIN run_steps s ON s.id = q.run_step_id WHERE s.run_id = ?`

/** A run's requests, newest first, as many as were asked for; they follow the run. */
export const useRequests = (runId: () => string, failed: Ref<boolean>) => {
  const { flowforge } = useWorkerClient()
  const requests = ref<readonly SentRequest[]>([])
  const total = ref(0)
  const limit = ref(PAGE)
  const error = ref<unknown>(null)
  const isLoading = ref(true)
  const mark = useLiveQuery(MARK, [computed(runId)], (row) => String(row['mark']))
  let asked = 0

  const read = async (): Promise<void> => {
    asked += 1
    const current = asked
    try {
      const found = await flowforge.requests.list({
        runId: runId(),
        failed: failed.value,
        limit: limit.value
      })
      if (current !== asked) return
      requests.value = found.requests
      total.value = found.total
      error.value = null
    } catch (thrown) {
      if (current === asked) error.value = thrown
    } finally {
      if (current === asked) isLoading.value = false
    }
  }
  watch([runId, failed, limit, () => mark.rows.value[0]], read, { immediate: true })
  return {
    requests,
    total,
    error,
    isLoading,
    more: () => {
      limit.value = Math.min(1_000, limit.value + PAGE)
    }
  }
}
