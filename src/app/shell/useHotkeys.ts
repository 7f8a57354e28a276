import { useEventListener } from '@vueuse/core'
import { useRouter } from 'vue-router'
import { screens } from './screens.ts'

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** How long `g` waits for the letter of a screen, in ms. */
const CHORD_MS = 1_000

/** The keys that work on every screen: the palette's, and `g` with a screen's letter. */
export const useHotkeys = (openPalette: () => void): void => {
  const router = useRouter()
  let chordUntil = 0

  useEventListener(window, 'keydown', (event) => {
    if (
      (event.ctrlKey || event.metaKey) &&
      !event.altKey &&
      !event.shiftKey &&
      event.key.toLowerCase() === 'k'
    ) {
      event.preventDefault()
      openPalette()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target))
      return
    const isChord = event.timeStamp < chordUntil
    chordUntil = event.key === 'g' ? event.timeStamp + CHORD_MS : 0
    const screen = isChord ? screens.find(({ key }) => key === event.key) : undefined
    if (screen === undefined) return
    event.preventDefault()
    void router.push({ name: screen.name })
  })
}
