import { useOverlay } from '@nuxt/ui/composables/useOverlay'
import { defineAsyncComponent } from 'vue'
import { isFlowForgeError } from '../../../worker/api.ts'

const ReadDifferentlyDialog = defineAsyncComponent(() => import('./ReadDifferentlyDialog.vue'))

/** Whether a file that was refused may be read with other options. */
export const isMendable = (error: unknown): boolean =>
  isFlowForgeError(error) && error.details['mendableBy'] === 'csv-options'

/** Asks a person how a refused file is to be read. Answers with the data source that it became; null where they left. */
export const useReadDifferently = () => {
  const overlay = useOverlay()
  return async (
    file: File,
    refusal: unknown
  ): Promise<{ readonly dataSourceId: string; readonly name: string } | null> => {
    const dialog = overlay.create(ReadDifferentlyDialog, { destroyOnClose: true })
    const added = await dialog.open({ file, refusal }).result
    return added ?? null
  }
}
