import { computed, ref } from 'vue'
import type { BackupRhythm, MadeBackup } from '../../worker/api.ts'
import { useBackupState } from '../shell/useBackupState.ts'
import { useWorkerClient } from '../useWorkerClient.ts'

const FIRST_RHYTHM: BackupRhythm = { unit: 'day' }
const FIRST_KEEP = 7

/** The folder that backups go to by themselves: chosen, changed, left. */
export const useBackupSchedule = () => {
  const { backup } = useWorkerClient().flowforge
  const { status, last, look, allowAgain } = useBackupState()
  const error = ref<unknown>(null)
  const isBusy = ref(false)
  const schedule = computed(() => status.value?.schedule ?? null)

  const doing = async (work: () => Promise<unknown>): Promise<void> => {
    isBusy.value = true
    error.value = null
    try {
      await work()
    } catch (thrown) {
      // Whoever closes the picker has changed their mind.
      if (!(thrown instanceof DOMException && thrown.name === 'AbortError')) error.value = thrown
    } finally {
      isBusy.value = false
      await look()
    }
  }
  const makeNow = (): Promise<MadeBackup> => backup.createScheduled()

  return {
    /** This browser lets a page write into a folder of the person's. */
    canChoose: typeof window.showDirectoryPicker === 'function',
    schedule,
    last,
    eventsSince: computed(() => status.value?.eventsSince ?? 0),
    error,
    isBusy,
    choose: () =>
      doing(async () => {
        const folder = await window.showDirectoryPicker?.({ id: 'flowforge-backups', mode: 'readwrite' })
        if (folder === undefined) return
        const { rhythm = FIRST_RHYTHM, keep = FIRST_KEEP } = schedule.value ?? {}
        await backup.setSchedule({ folder, rhythm, keep })
        // A picker that the person has answered is a permission; the first backup shows that it holds.
        await makeNow()
      }),
    change: (rhythm: BackupRhythm, keep: number) => doing(() => backup.setSchedule({ rhythm, keep })),
    makeNow: () => doing(makeNow),
    allowAgain: () => doing(allowAgain),
    stop: () => doing(() => backup.removeSchedule())
  }
}
