import { useLocalStorage } from '@vueuse/core'
import { MEMORY_BUDGET, MemoryBudget } from '../../workflow/run/memory-budget.ts'

/** Bytes that the runs that are started here may take, remembered on this device. */
export const useMemoryBudget = () =>
  useLocalStorage<number>('flowforge.runs.memory', MEMORY_BUDGET, {
    // Somebody else's text under our key: what is usual holds.
    serializer: { read: (text) => MemoryBudget.safeParse(Number(text)).data ?? MEMORY_BUDGET, write: String }
  })
