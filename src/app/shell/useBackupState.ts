import { createSharedComposable, useIntervalFn } from '@vueuse/core'
import { computed, ref, shallowRef, watch } from 'vue'
import type { BackupStatus } from '../../worker/api.ts'
import { useSharedNow } from '../ui/useSharedNow.ts'
import { useLiveQuery } from '../useLiveQuery.ts'
import { useWorkerClient } from '../useWorkerClient.ts'
import { writeLastBackup } from './data-mark.ts'

const LOOK_MS = 20_000
/** Every append is a change of what is in no backup, and nobody watches it that closely. */
const REST_MS = 100
/** Work that is in no backup for so long is worth a word. */
const REMIND_AFTER_MS = 7 * 24 * 60 * 60_000

/** How far the log is backed up: nothing of it where the last backup is of another history. */
const backedUpTo = (status: BackupStatus | null): number =>
  status?.last == null || status.last.generation !== status.generation ? 0 : status.last.logPosition

/** Which backups were made, by themselves or by hand, and what is in none of them. */
export const useBackupState = createSharedComposable(() => {
  const { backup } = useWorkerClient().flowforge
  const status = shallowRef<BackupStatus | null>(null)
  const error = ref<unknown>(null)

  const look = async (): Promise<void> => {
    try {
      status.value = await backup.status()
      error.value = null
    } catch (thrown) {
      error.value = thrown
    }
  }
  useIntervalFn(look, LOOK_MS, { immediateCallback: true })

  const last = computed(() => status.value?.last ?? null)
  watch(last, (made) => {
    if (made !== null) writeLastBackup(made)
  })

  const oldest = useLiveQuery(
    'SELECT created_at FROM events WHERE position > ? ORDER BY position LIMIT 1',
    () => [backedUpTo(status.value)],
    undefined,
    { restMs: REST_MS }
  )
  const now = useSharedNow()
  /** Nothing sees to it by itself, and some work is in no backup for long. */
  const isOverdue = computed(() => {
    if (status.value === null || status.value.eventsSince === 0) return false
    if (status.value.schedule !== null && status.value.schedule.problem === null) return false
    const since = oldest.rows.value[0]?.['created_at']
    return typeof since === 'string' && now.value.getTime() - Date.parse(since) > REMIND_AFTER_MS
  })

  /** Asks the person for the folder again, and makes the backup that was missed. To be called while a person acts. */
  const allowAgain = async (): Promise<void> => {
    const folder = await backup.folder()
    await folder.requestPermission?.({ mode: 'readwrite' })
    try {
      await backup.createScheduled()
    } finally {
      await look()
    }
  }
  return { status, last, error, look, isOverdue, allowAgain }
})
