import { createSharedComposable, useIntervalFn } from '@vueuse/core'
import { useRegisterSW } from 'virtual:pwa-register/vue'
import { computed, ref, shallowRef, watch } from 'vue'
import { messageOf } from '../ui/message-of.ts'
import { useLiveQuery } from '../useLiveQuery.ts'
import { cacheEngine, isEngineCached, readEngineAssets, type EngineAssets } from './engine-cache.ts'

export type Readiness =
  /** This browser, or the way the page is served, has no service worker. */
  | 'unavailable'
  /** The app's own files are being kept. */
  | 'saving'
  /** The app opens offline, but cannot compute: the engine is not kept yet. */
  | 'without-engine'
  | 'ready'

const LOOK_AGAIN_MS = 3_000

/**
 * What works without a network, as the service worker and its caches have it; nothing is assumed. An update waits until
 * the person takes it and no run is under way.
 */
export const useOfflineReadiness = createSharedComposable(() => {
  const isAvailable = 'serviceWorker' in navigator && import.meta.env.PROD
  const hasApp = ref(false)
  const hasEngine = ref(false)
  const isSavingEngine = ref(false)
  const error = ref<string | null>(isAvailable ? null : 'This page is served without a service worker.')
  const assets = shallowRef<EngineAssets | null>(null)

  const { needRefresh, updateServiceWorker } = useRegisterSW({
    immediate: true,
    onRegisterError: (thrown: unknown) => {
      error.value = messageOf(thrown)
    }
  })
  // Active means that everything it keeps from the start has arrived.
  if (isAvailable) void navigator.serviceWorker.ready.then(() => (hasApp.value = true))

  const look = async (): Promise<void> => {
    if (!hasApp.value || isSavingEngine.value) return
    try {
      assets.value ??= await readEngineAssets()
      hasEngine.value = await isEngineCached(assets.value)
    } catch (thrown) {
      error.value = messageOf(thrown)
    }
  }
  watch(hasApp, look)
  const { pause } = useIntervalFn(look, LOOK_AGAIN_MS)
  watch(hasEngine, (has) => has && pause())

  const saveEngine = async (): Promise<void> => {
    if (isSavingEngine.value) return
    isSavingEngine.value = true
    error.value = null
    try {
      assets.value ??= await readEngineAssets()
      await cacheEngine(assets.value)
      hasEngine.value = await isEngineCached(assets.value)
    } catch (thrown) {
      error.value = `The compute engine could not be kept (${messageOf(thrown)}). Check the connection and the storage that is left, and try again.`
    } finally {
      isSavingEngine.value = false
    }
  }

  // The first file that is read is the engine's first use; that may have been before the service worker was there.
  const sources = useLiveQuery('SELECT 1 FROM data_sources LIMIT 1')
  watch([hasApp, sources.rows], () => {
    if (hasApp.value && sources.rows.value.length > 0 && !hasEngine.value && error.value === null)
      void saveEngine()
  })

  const runs = useLiveQuery("SELECT 1 FROM runs WHERE status IN ('queued', 'running') LIMIT 1")
  const isRunUnderWay = computed(() => runs.rows.value.length > 0)

  const readiness = computed<Readiness>(() => {
    if (!isAvailable) return 'unavailable'
    if (!hasApp.value) return error.value === null ? 'saving' : 'unavailable'
    if (isSavingEngine.value) return 'saving'
    return hasEngine.value ? 'ready' : 'without-engine'
  })
  return {
    readiness,
    error,
    engineBytes: computed(() => assets.value?.reduce((sum, { bytes }) => sum + bytes, 0) ?? null),
    hasEngine,
    saveEngine,
    isUpdateWaiting: needRefresh,
    isRunUnderWay,
    /** Reloads the page with the new version; never in the middle of a run. */
    update: async (): Promise<void> => {
      if (!isRunUnderWay.value) await updateServiceWorker()
    }
  }
})
