import { ref } from 'vue'
import { useWorkerClient } from '../useWorkerClient.ts'
import { useBackupState } from './useBackupState.ts'

/** Brings the latest backup of the chosen folder back into a storage that was emptied. */
export const useLastBackup = () => {
  const { backup } = useWorkerClient().flowforge
  const { status, look } = useBackupState()
  const isBusy = ref(false)
  const error = ref<unknown>(null)

  return {
    status,
    isBusy,
    error,
    /** To be called while a person acts: the browser may ask for the folder. */
    restoreLatest: async (): Promise<void> => {
      isBusy.value = true
      error.value = null
      try {
        const folder = await backup.folder()
        await folder.requestPermission?.({ mode: 'readwrite' })
        const { inspectionId } = await backup.inspectLatest()
        await backup.restore({ inspectionId })
      } catch (thrown) {
        error.value = thrown
      } finally {
        isBusy.value = false
        await look()
      }
    },
    /** What is made from now on is backed up into the folder, if there is one, beside what is in it. */
    beginAnew: async (): Promise<void> => {
      await look()
      const { schedule } = status.value ?? {}
      if (schedule == null) return
      const { rhythm, keep } = schedule
      await backup.setSchedule({ folder: await backup.folder(), rhythm, keep })
    }
  }
}
