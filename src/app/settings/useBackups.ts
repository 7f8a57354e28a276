import { useIntervalFn } from '@vueuse/core'
import { computed, onMounted, ref, shallowRef } from 'vue'
import { isFlowForgeError, type BackupProgress, type BackupSummary } from '../../worker/api.ts'
import { useBackupState } from '../shell/useBackupState.ts'
import { saveBlob } from '../ui/save-blob.ts'
import { useWorkerClient } from '../useWorkerClient.ts'

/** A file that was read and verified, and waits for a person's word to take the place of what is here. */
export type Inspected = {
  readonly inspectionId: string
  readonly fileName: string
  readonly summary: BackupSummary
}

/** How often the progress of what is under way is asked for, in ms. */
const LOOK_MS = 300

const WORDS: Readonly<Record<BackupProgress['phase'], string>> = {
  copying: 'Copying the database',
  'adding-blobs': 'Adding files',
  hashing: 'Hashing',
  writing: 'Writing the file',
  reading: 'Reading the file',
  verifying: 'Verifying',
  restoring: 'Restoring'
}

const toWords = ({ phase, done, total }: BackupProgress): string =>
  total > 0 ? `${WORDS[phase]}, ${Math.floor((100 * done) / total)} %` : WORDS[phase]

/** Saves backups and restores them; one thing at a time. */
export const useBackups = () => {
  const { backup } = useWorkerClient().flowforge
  const { status, error: unread, look } = useBackupState()
  const inspected = shallowRef<Inspected | null>(null)
  const error = ref<unknown>(null)
  const isBusy = ref(false)
  const said = ref('')

  const looking = useIntervalFn(look, LOOK_MS, { immediate: false })

  const doing = async (work: () => Promise<unknown>): Promise<void> => {
    isBusy.value = true
    error.value = null
    said.value = ''
    looking.resume()
    try {
      await work()
    } catch (thrown) {
      // A person who ends it knows.
      if (!(isFlowForgeError(thrown) && thrown.code === 'CANCELED')) error.value = thrown
    } finally {
      looking.pause()
      isBusy.value = false
      await look()
    }
  }

  onMounted(look)

  return {
    kept: computed(() => status.value?.kept ?? []),
    problem: computed(() => status.value?.problem ?? null),
    progress: computed(() => (status.value?.progress ? toWords(status.value.progress) : null)),
    inspected,
    error: computed(() => error.value ?? unread.value),
    isBusy,
    said,
    save: () =>
      doing(async () => {
        const file = await backup.create()
        saveBlob(file, file.name)
      }),
    inspect: (file: File) =>
      doing(async () => {
        inspected.value = { ...(await backup.inspect({ file })), fileName: file.name }
      }),
    discard: () =>
      doing(async () => {
        inspected.value = null
        await backup.discard()
      }),
    restore: ({ inspectionId }: Inspected) =>
      doing(async () => {
        await backup.restore({ inspectionId })
        inspected.value = null
        said.value = 'The backup is in place. What was here before is kept until the next restore.'
      }),
    undoRestore: () =>
      doing(async () => {
        await backup.undoRestore()
        said.value = 'What was here before the restore is back.'
      }),
    saveKept: (file: string) =>
      doing(async () => {
        const saved = await backup.saveKept({ file })
        saveBlob(saved, saved.name)
      }),
    removeKept: (file: string) => doing(() => backup.removeKept({ file })),
    cancel: () => backup.cancel().catch((thrown: unknown) => (error.value = thrown))
  }
}
