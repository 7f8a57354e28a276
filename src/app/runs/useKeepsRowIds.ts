import { useLocalStorage } from '@vueuse/core'

/** Do the runs that are started here keep which rows each row came from? Remembered on this device. */
export const useKeepsRowIds = () => useLocalStorage('flowforge.runs.keeps-row-ids', false)

export const KEEP_ROW_IDS = 'Keep which rows each row came from'
export const KEEP_ROW_IDS_NOTE =
  'Rows that are equal in every value can then be told apart when a result is explained. The run takes a little longer and more room.'
