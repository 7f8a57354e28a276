import { onMounted, ref, shallowRef } from 'vue'
import type {
  BackupSummary,
  FoundDatabase,
  RescueCopy,
  SalvageProgress,
  SalvageReport
} from '../../worker/api.ts'
import { saveBlob } from '../ui/save-blob.ts'
import { useWorkerClient } from '../useWorkerClient.ts'

export type RescueOutcome =
  | { readonly kind: 'salvaged'; readonly report: SalvageReport }
  | { readonly kind: 'found'; readonly found: FoundDatabase }
  | { readonly kind: 'restored'; readonly fileName: string; readonly summary: BackupSummary }

type Doing = 'saving' | 'restoring' | 'salvaging' | 'finding'

/** What is done with a storage that does not open; one thing at a time. */
export const useRescue = () => {
  const { rescue } = useWorkerClient()
  const copies = shallowRef<readonly RescueCopy[]>([])
  const doing = ref<Doing | null>(null)
  const progress = shallowRef<SalvageProgress | null>(null)
  const outcome = shallowRef<RescueOutcome | null>(null)
  const error = ref<unknown>(null)

  const during = async (what: Doing, work: () => Promise<void>) => {
    doing.value = what
    error.value = null
    try {
      await work()
    } catch (thrown) {
      error.value = thrown
    } finally {
      doing.value = null
      progress.value = null
    }
  }

  const save = (wanted: readonly RescueCopy[]): Promise<void> =>
    during('saving', async () => {
      for (const { file } of wanted) {
        // oxlint-disable-next-line no-await-in-loop -- one file in memory at a time
        const saved = await rescue.save({ file })
        saveBlob(saved, saved.name)
      }
    })

  onMounted(async () => {
    try {
      copies.value = await rescue.copies()
    } catch (thrown) {
      error.value = thrown
    }
  })

  return {
    copies,
    doing,
    progress,
    outcome,
    error,
    save,
    restore: (file: File) =>
      during('restoring', async () => {
        outcome.value = { kind: 'restored', fileName: file.name, summary: await rescue.restore({ file }) }
      }),
    find: () =>
      during('finding', async () => {
        outcome.value = { kind: 'found', found: await rescue.findDatabase() }
      }),
    salvage: () =>
      during('salvaging', async () => {
        const report = await rescue.salvage((now) => (progress.value = now))
        outcome.value = { kind: 'salvaged', report }
      })
  }
}
