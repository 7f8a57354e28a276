import { useToast } from '@nuxt/ui/composables/useToast'
import { messageOf } from '../ui/message-of.ts'

type Way = { readonly label: string; readonly icon: string; readonly onClick: () => Promise<void> }

/** Runs what a person asked for where there is no place beside it for an error: that is said in a note that stays. */
export const useReport = () => {
  const toast = useToast()
  /** `ways`: what can be done about it from the note. */
  const report = (error: unknown, title = 'That did not work', ways: readonly Way[] = []): void => {
    toast.add({
      title,
      description: messageOf(error),
      icon: 'i-lucide-circle-alert',
      color: 'error',
      duration: 0,
      actions: ways.map((way) => ({ ...way, color: 'neutral', variant: 'subtle' }))
    })
  }
  const reporting = async (run: () => Promise<unknown>, title?: string): Promise<void> => {
    try {
      await run()
    } catch (error) {
      report(error, title)
    }
  }
  return { report, reporting }
}
