import { useLocalStorage } from '@vueuse/core'

/** Does a row for which an expression fails end the runs that are started here? Remembered on this device. */
export const useEndsAtRowErrors = () => useLocalStorage('flowforge.runs.ends-at-row-errors', false)
