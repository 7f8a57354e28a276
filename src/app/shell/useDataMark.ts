import { useThrottleFn } from '@vueuse/core'
import { shallowRef, watch } from 'vue'
import { useLiveQuery } from '../useLiveQuery.ts'
import { forgetDataMark, readDataMark, writeDataMark, type DataMark } from './data-mark.ts'

const LOG = `SELECT coalesce(max(position), 0) AS events,
  (SELECT min(at) FROM (SELECT min(created_at) AS at FROM events
    UNION ALL SELECT min(first_event_at) FROM archive_segments)) AS since FROM events`
/** Nobody watches it, and every append is a change of it. */
const REST_MS = 100
const WRITE_EVERY_MS = 5_000
const ASKED = 'flowforge-persist-asked'

/** Asks the browser, once, not to throw the data away: after the first work that would be missed. */
const askForPersistence = async (): Promise<void> => {
  if (localStorage.getItem(ASKED) !== null) return
  localStorage.setItem(ASKED, new Date().toISOString())
  await navigator.storage.persist()
}

/** Notices a storage that was emptied, and keeps the note by which it is noticed. */
export const useDataMark = () => {
  const lost = shallowRef<DataMark | null>(null)
  const log = useLiveQuery(LOG, [], undefined, { restMs: REST_MS })
  const work = useLiveQuery(`SELECT EXISTS (SELECT 1 FROM data_sources) OR EXISTS (SELECT 1 FROM workflows)
    OR EXISTS (SELECT 1 FROM runs) AS is_there`)
  const note = useThrottleFn(writeDataMark, WRITE_EVERY_MS, true)

  watch(log.rows, ([row]) => {
    if (row === undefined) return
    const events = Number(row['events'])
    // A note, and nothing that it was of.
    if (events === 0) lost.value = readDataMark()
    else {
      lost.value = null
      void note({ events, since: String(row['since']) })
    }
  })
  watch(work.rows, ([row]) => {
    if (Number(row?.['is_there']) !== 1) return
    askForPersistence().catch((thrown: unknown) => {
      // The settings show that it is not protected, and have a button of their own.
      console.warn('The browser could not be asked to protect the storage', thrown)
    })
  })

  const startFresh = (): void => {
    forgetDataMark()
    lost.value = null
  }
  return { lost, startFresh }
}
