import { nextTick, ref, type Ref } from 'vue'
import type { ManualCell } from '../../../workflow/manual/manual-rows.ts'
import type { Place } from './useGridCursor.ts'

/** The cell that is being edited: its text before, and how an arrow key is understood. */
export const useCellEditor = (
  active: Ref<Place>,
  parts: {
    readonly cellAt: (place: Place) => ManualCell
    readonly put: (place: Place, cell: ManualCell) => void
    /** The text field, once it is drawn. */
    readonly field: () => HTMLTextAreaElement | null
  }
) => {
  const draft = ref<string | null>(null)
  /** It began by typing: arrows leave the cell instead of walking in its text. */
  const isQuick = ref(false)
  let place: Place = active.value
  let before: ManualCell = null

  /** `typed`: the first letter, which takes the place of what was there. */
  const begin = async (typed?: string): Promise<void> => {
    place = active.value
    before = parts.cellAt(place)
    isQuick.value = typed !== undefined
    draft.value = typed ?? before ?? ''
    await nextTick()
    const field = parts.field()
    field?.focus()
    field?.setSelectionRange(field.value.length, field.value.length)
  }
  /** Nothing typed is NULL; the empty text stays what it was when it was only looked at. */
  const commit = (): void => {
    if (draft.value === null) return
    const text = draft.value
    draft.value = null
    const cell = text === '' && before !== '' ? null : text
    if (cell !== before) parts.put(place, cell)
  }
  return {
    draft,
    isQuick,
    begin,
    commit,
    cancel: (): void => {
      draft.value = null
    }
  }
}
