import { computed, ref, shallowRef, watch } from 'vue'
import type { CatalogItemView } from '../../worker/api.ts'
import { useLiveQuery } from '../useLiveQuery.ts'
import { useWorkerClient } from '../useWorkerClient.ts'
import type { FormSpec } from './kind-looks.ts'
import { toContent } from './to-content.ts'

const LAST_SEQ = `SELECT max(seq) AS seq FROM events WHERE aggregate_type = 'catalog' AND aggregate_id = ?`

/** One item as it is stored, and as the form has it until that is stored, too. */
export const useCatalogItem = (itemId: string) => {
  const { flowforge } = useWorkerClient()
  const item = shallowRef<CatalogItemView | null>(null)
  const error = ref<unknown>(null)
  const missing = ref<unknown>(null)
  /** What was typed and is not stored yet. */
  const typed = shallowRef<FormSpec | null>(null)

  const stored = computed<FormSpec>(
    () => item.value?.draft?.spec ?? item.value?.versions.at(-1)?.content.spec ?? {}
  )
  const spec = computed(() => typed.value ?? stored.value)

  const acting = async (act: () => Promise<unknown>): Promise<boolean> => {
    try {
      error.value = null
      await act()
      return true
    } catch (thrown) {
      error.value = thrown
      return false
    }
  }

  const load = async (): Promise<void> => {
    try {
      item.value = await flowforge.catalog.get({ itemId })
      missing.value = null
    } catch (thrown) {
      missing.value = thrown
    }
  }

  /** Stores what was typed as the draft. What is unfinished stays in the form and is said. */
  const save = (): Promise<boolean> =>
    acting(async () => {
      const { value } = typed
      if (value === null || item.value === null) return
      const { spec: complete } = toContent({ kind: item.value.kind, spec: value })
      item.value = await flowforge.catalog.edit({ itemId, spec: complete })
      if (typed.value === value) typed.value = null
    })

  const { rows } = useLiveQuery(LAST_SEQ, [itemId], (row) => Number(row['seq']))
  // Another tab, or a script, may have changed it.
  watch(rows, ([seq]) => {
    if (seq !== undefined && seq !== item.value?.seq) void load()
  })

  return {
    item,
    error,
    missing,
    spec,
    isTyped: computed(() => typed.value !== null),
    type: (next: FormSpec): void => {
      typed.value = next
    },
    save,
    take: async (next: FormSpec): Promise<void> => {
      typed.value = next
      await save()
    },
    publish: async (): Promise<void> => {
      if (await save()) await acting(() => flowforge.catalog.publish({ itemId }))
    },
    step: (call: 'undo' | 'redo' | 'discard'): Promise<boolean> =>
      acting(async () => {
        typed.value = null
        item.value = await flowforge.catalog[call]({ itemId })
      }),
    describe: (description: string): Promise<boolean> =>
      acting(() => flowforge.catalog.describe({ itemId, description })),
    rename: (name: string): Promise<void> => flowforge.catalog.rename({ itemId, name }),
    remove: (): Promise<void> => flowforge.catalog.remove({ itemId })
  }
}
