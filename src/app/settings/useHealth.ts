import { computed, onMounted, ref, shallowRef, watch } from 'vue'
import type { HealthState } from '../../worker/api.ts'
import { useLiveQuery } from '../useLiveQuery.ts'
import { useWorkerClient } from '../useWorkerClient.ts'

export type HealthReport = {
  readonly id: string
  readonly outcome: string
  readonly createdAt: string
  readonly json: string
}

/** How the database's file is, the check that a person asks for, and what checks have found. */
export const useHealth = () => {
  const { flowforge } = useWorkerClient()
  const state = shallowRef<HealthState | null>(null)
  const error = ref<unknown>(null)
  const isChecking = ref(false)
  const stored = useLiveQuery(`SELECT id, outcome, created_at, report_json FROM health_reports
    WHERE kind = 'check' ORDER BY created_at DESC LIMIT 20`)
  const reports = computed(() =>
    stored.rows.value.map((row): HealthReport => ({
      id: String(row['id']),
      outcome: String(row['outcome']),
      createdAt: String(row['created_at']),
      json: String(row['report_json'])
    }))
  )

  const load = async (): Promise<void> => {
    try {
      state.value = await flowforge.health.state()
    } catch (thrown) {
      error.value = thrown
    }
  }
  const check = async (): Promise<void> => {
    isChecking.value = true
    error.value = null
    try {
      await flowforge.health.check()
    } catch (thrown) {
      error.value = thrown
    } finally {
      isChecking.value = false
      await load()
    }
  }
  onMounted(load)
  // A check that began by itself has ended.
  watch(reports, load)
  return { state, reports, error, isChecking, check }
}
