/** Lets the arrows, Home and End walk the elements that `selector` finds in the list that the key was pressed in. */
export const useArrowKeys = (selector: string) => {
  const onArrowKey = (event: KeyboardEvent): void => {
    const list = event.currentTarget
    if (!(list instanceof HTMLElement) || !(event.target instanceof Element)) return
    const items = [...list.querySelectorAll<HTMLElement>(selector)]
    const at = items.findIndex((item) => item.contains(document.activeElement))
    if (at === -1) return
    const moves: Record<string, number | undefined> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: items.length - 1
    }
    const next = moves[event.key]
    if (next === undefined) return
    event.preventDefault()
    items[Math.max(0, Math.min(items.length - 1, next))]?.focus()
  }
  return { onArrowKey }
}
