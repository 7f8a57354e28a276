import { onMounted, onUnmounted, ref, shallowRef } from 'vue'
import type { ChainReport, LogState } from '../../worker/api.ts'
import { useWorkerClient } from '../useWorkerClient.ts'

/** How often a check that is under way is asked how far it has come, in ms. */
const ASK_MS = 300

/** The log's hash chain: how far it reaches, and the check that a person asks for. */
export const useLogChain = () => {
  const { flowforge } = useWorkerClient()
  const state = shallowRef<LogState | null>(null)
  const report = shallowRef<ChainReport | null>(null)
  const error = ref<unknown>(null)
  const isChecking = ref(false)
  let timer: ReturnType<typeof setInterval> | undefined

  const load = async (): Promise<void> => {
    try {
      state.value = await flowforge.log.state()
    } catch (thrown) {
      error.value = thrown
    }
  }
  const check = async (): Promise<void> => {
    isChecking.value = true
    error.value = null
    timer = setInterval(() => void load(), ASK_MS)
    try {
      report.value = await flowforge.log.verify()
    } catch (thrown) {
      error.value = thrown
    } finally {
      clearInterval(timer)
      isChecking.value = false
      await load()
    }
  }
  onMounted(load)
  onUnmounted(() => clearInterval(timer))
  return { state, report, error, isChecking, check }
}
