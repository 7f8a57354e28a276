import { onScopeDispose, shallowReactive } from 'vue'

export type Command = {
  readonly id: string
  readonly label: string
  readonly icon: string
  /** Keys that do the same: `['Ctrl', 'Enter']`. */
  readonly keys?: readonly string[]
  readonly run: () => unknown
}

const registered = shallowReactive(new Set<() => readonly Command[]>())

/** Adds a screen's commands to the palette for as long as the screen is there; `list` is asked when the palette opens. */
export const useCommands = (list: () => readonly Command[]): void => {
  registered.add(list)
  onScopeDispose(() => registered.delete(list))
}

/** Every command of the screens that are there now. */
export const screenCommands = (): Command[] => [...registered].flatMap((list) => list())
