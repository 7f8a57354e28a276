import { ref, type Ref } from 'vue'
import { isTyping, placeAfterKey, placeAfterTab, type GridSize } from './grid-keys.ts'
import type { GridActions } from './useGridActions.ts'
import type { GridCursor } from './useGridCursor.ts'
import type { TypedTableEdits } from './useTypedTable.ts'

type Action = () => void

/** The keys of a grid while no cell is edited; Escape lets the next Tab leave it. */
export const useGridKeys = (
  grid: Ref<HTMLElement | null>,
  parts: {
    readonly edits: TypedTableEdits
    readonly cursor: GridCursor
    readonly actions: GridActions
    readonly size: () => GridSize
    /** Edits the cell, from a first letter where one was typed. */
    readonly beginEdit: (typed?: string) => void
    readonly openColumn: (column: number) => void
  }
) => {
  const { edits, cursor, actions, size, beginEdit, openColumn } = parts
  const isLeaving = ref(false)

  const open = (): void => {
    if (cursor.isInHeader.value) openColumn(cursor.active.value.column)
    else beginEdit()
  }
  const commandOf = ({ key, shiftKey }: KeyboardEvent): Action | undefined => {
    const commands: Readonly<Record<string, Action>> = {
      z: shiftKey ? edits.redo : edits.undo,
      y: edits.redo,
      a: actions.selectAll,
      delete: actions.removeRows
    }
    return commands[key.toLowerCase()]
  }
  const plainOf = (event: KeyboardEvent): Action | undefined => {
    const plain: Readonly<Record<string, Action>> = {
      Enter: open,
      F2: open,
      Delete: () => actions.clear(event.shiftKey ? '' : null),
      Backspace: () => actions.clear(null)
    }
    return isTyping(event) && !cursor.isInHeader.value ? () => beginEdit(event.key) : plain[event.key]
  }
  const actionOf = (event: KeyboardEvent): Action | undefined => {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey
    if (event.altKey && !event.ctrlKey && event.key === 'ArrowUp') return () => actions.moveBlock(-1)
    if (event.altKey && !event.ctrlKey && event.key === 'ArrowDown') return () => actions.moveBlock(1)
    const next = placeAfterKey(event, cursor.active.value, size())
    if (next !== undefined) return () => cursor.select(next, event.shiftKey)
    return isCommand ? commandOf(event) : plainOf(event)
  }
  const onTab = (event: KeyboardEvent): void => {
    const next = placeAfterTab(cursor.active.value, size(), event.shiftKey ? -1 : 1)
    if (next === undefined || isLeaving.value) return
    event.preventDefault()
    cursor.select(next)
  }

  return {
    onKey: (event: KeyboardEvent): void => {
      if (event.target !== grid.value || event.isComposing || event.key === 'Shift') return
      if (event.key === 'Tab') return onTab(event)
      isLeaving.value = event.key === 'Escape'
      const action = actionOf(event)
      if (action === undefined) return
      event.preventDefault()
      event.stopPropagation()
      action()
    },
    onBlur: (): void => {
      isLeaving.value = false
    }
  }
}
