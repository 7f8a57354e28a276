import { useManualRefHistory } from '@vueuse/core'
import { computed, shallowRef } from 'vue'
import { manualProblems } from '../../../workflow/manual/manual-rows.ts'
import { withoutEmptyEnd, type TypedTable } from './typed-table.ts'

/** How many edits can be taken back, and problems be marked at once. */
const KEPT_EDITS = 100
const MARKED_PROBLEMS = 1_000

/** A table that is typed: each edit can be taken back, and what is not saved yet is known. */
export const useTypedTable = (initial: TypedTable) => {
  const table = shallowRef(initial)
  const saved = shallowRef(initial)
  const { undo, redo, canUndo, canRedo, commit } = useManualRefHistory(table, { capacity: KEPT_EDITS })
  const problems = computed(() => manualProblems(withoutEmptyEnd(table.value), MARKED_PROBLEMS))
  return {
    table,
    problems,
    isDirty: computed(() => table.value !== saved.value),
    canUndo,
    canRedo,
    undo,
    redo,
    edit: (next: TypedTable): void => {
      if (next === table.value) return
      table.value = next
      commit()
    },
    /** `what`: the table that was sent; it may have been edited on meanwhile. */
    markSaved: (what: TypedTable): void => {
      saved.value = what
    }
  }
}
export type TypedTableEdits = ReturnType<typeof useTypedTable>
