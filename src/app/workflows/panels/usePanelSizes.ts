import { useLocalStorage } from '@vueuse/core'
import { z } from 'zod'

const Sizes = z.object({ inspector: z.number().min(240).max(720), bottom: z.number().min(96).max(900) })
type Sizes = z.infer<typeof Sizes>

const DEFAULTS: Sizes = { inspector: 340, bottom: 260 }

const read = (text: string): Sizes => {
  try {
    return Sizes.safeParse(JSON.parse(text)).data ?? DEFAULTS
  } catch {
    return DEFAULTS // Somebody else's text under our key: the sizes start anew.
  }
}

/** How wide and how high the editor's panels are, remembered on this device. */
export const usePanelSizes = () =>
  useLocalStorage<Sizes>('flowforge.editor.panels', DEFAULTS, {
    serializer: { read, write: (sizes) => JSON.stringify(sizes) }
  })
