import { createSharedComposable, useNow } from '@vueuse/core'

/** The time, renewed every ten seconds by one timer for the whole page. */
export const useSharedNow = createSharedComposable(() => useNow({ interval: 10_000 }))
