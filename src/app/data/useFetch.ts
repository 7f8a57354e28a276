import { computed, onScopeDispose, shallowRef, type ComputedRef } from 'vue'
import { isFlowForgeError } from '../../worker/api.ts'
import { useWorkerClient } from '../useWorkerClient.ts'

/** A fetch of this component that a person can stop; it stops with the component, too. */
export const useFetch = (): {
  readonly isBusy: ComputedRef<boolean>
  /** Fetches, under a name of its own. Answers with null where it was stopped. */
  readonly fetching: <T>(work: (fetchId: string) => Promise<T>) => Promise<T | null>
  readonly stop: () => void
} => {
  const { flowforge } = useWorkerClient()
  const current = shallowRef<string | null>(null)

  const stop = (): void => {
    if (current.value === null) return
    // It fails where the storage is gone, which the fetch tells as well.
    flowforge.sources.cancelFetch({ fetchId: current.value }).catch(() => undefined)
  }
  onScopeDispose(stop)

  return {
    isBusy: computed(() => current.value !== null),
    stop,
    fetching: async (work) => {
      const fetchId = crypto.randomUUID()
      current.value = fetchId
      try {
        return await work(fetchId)
      } catch (thrown) {
        if (isFlowForgeError(thrown) && thrown.code === 'CANCELED') return null
        throw thrown
      } finally {
        if (current.value === fetchId) current.value = null
      }
    }
  }
}
