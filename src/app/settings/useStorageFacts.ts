import { onMounted, ref, shallowRef } from 'vue'
import { useWorkerClient } from '../useWorkerClient.ts'
import type { Status } from '../../worker/api.ts'

/** How much is stored, how much may be, and whether the browser may throw it away. */
export const useStorageFacts = () => {
  const { flowforge } = useWorkerClient()
  const status = shallowRef<Status | null>(null)
  const error = ref<unknown>(null)
  const wasRefused = ref(false)

  const load = async (): Promise<void> => {
    try {
      status.value = await flowforge.status()
      error.value = null
    } catch (thrown) {
      error.value = thrown
    }
  }
  const protect = async (): Promise<void> => {
    wasRefused.value = !(await navigator.storage.persist())
    await load()
  }
  onMounted(load)
  return { status, error, wasRefused, load, protect }
}
