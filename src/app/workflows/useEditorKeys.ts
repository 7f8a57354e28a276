import { useEventListener } from '@vueuse/core'
import type { NodeEdits } from './useNodeEdits.ts'
import type { Selection } from './useSelection.ts'
import type { WorkflowDraft } from './useWorkflow.ts'

const isWriting = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.closest('input, textarea, select, [role=dialog], [role=menu]') !== null)

/** The keys and the clipboard of the whole editor; those of the canvas alone are in the canvas. */
export const useEditorKeys = (parts: {
  readonly workflow: WorkflowDraft
  readonly selection: Selection
  readonly edits: NodeEdits
  readonly openPalette: () => void
  readonly closeTopmost: () => boolean
}): void => {
  const { workflow, selection, edits, openPalette, closeTopmost } = parts

  const onKeydown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented) return
    const key = event.key.toLowerCase()
    const withControl = event.ctrlKey || event.metaKey
    if (withControl && (key === 'z' || key === 'y') && !isWriting(event.target)) {
      event.preventDefault()
      void (key === 'y' || event.shiftKey ? workflow.redo() : workflow.undo())
      return
    }
    if (isWriting(event.target)) {
      if (
        event.key === 'Escape' &&
        event.target instanceof HTMLElement &&
        event.target.closest('[role=dialog]') === null
      ) {
        if (!closeTopmost()) event.target.blur()
      }
      return
    }
    if (withControl && key === 'a') {
      event.preventDefault()
      selection.select(workflow.graph.value.nodes.map(({ id }) => id))
    } else if (withControl || event.altKey) {
      return
    } else if (key === 'a') {
      event.preventDefault()
      openPalette()
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault()
      edits.removeSelected()
    } else if (event.key === 'Escape') {
      if (!closeTopmost()) selection.clear()
    }
  }

  const hasTextSelected = (): boolean => (document.getSelection()?.toString() ?? '') !== ''
  const onCopy = (event: ClipboardEvent): boolean => {
    if (isWriting(event.target) || hasTextSelected()) return false
    const text = edits.copyText()
    if (text === null) return false
    event.clipboardData?.setData('text/plain', text)
    event.preventDefault()
    return true
  }

  useEventListener(document, 'keydown', onKeydown)
  useEventListener(document, 'copy', onCopy)
  useEventListener(document, 'cut', (event) => {
    if (onCopy(event)) edits.removeSelected()
  })
  useEventListener(document, 'paste', (event) => {
    if (isWriting(event.target)) return
    event.preventDefault()
    edits.pasteText(event.clipboardData?.getData('text/plain') ?? '')
  })
}
