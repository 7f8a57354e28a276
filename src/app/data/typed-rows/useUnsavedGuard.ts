import { useEventListener } from '@vueuse/core'
import { ref, type Ref } from 'vue'
import { onBeforeRouteLeave, onBeforeRouteUpdate, type RouteLocationNormalized } from 'vue-router'

/** Asks before a screen with work that is not saved is left, unless it `stays` there all the same; a reload or a closed tab makes the browser ask. */
export const useUnsavedGuard = (isDirty: Ref<boolean>, stays: (to: RouteLocationNormalized) => boolean) => {
  const isAsking = ref(false)
  let answer: (mayLeave: boolean) => void = () => {}

  const ask = (to: RouteLocationNormalized): boolean | Promise<boolean> => {
    if (!isDirty.value || stays(to)) return true
    answer(false)
    isAsking.value = true
    return new Promise((resolve) => (answer = resolve))
  }
  onBeforeRouteLeave(ask)
  onBeforeRouteUpdate(ask)
  useEventListener(window, 'beforeunload', (event) => {
    if (isDirty.value) event.preventDefault()
  })
  return {
    isAsking,
    reply: (mayLeave: boolean): void => {
      isAsking.value = false
      answer(mayLeave)
    }
  }
}
