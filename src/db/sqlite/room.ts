import { FlowForgeError } from '../flowforge-error.ts'

/** How many bytes the browser still allows this origin; unlimited where nobody counts. */
export const freeRoom = async (): Promise<number> => {
  if (typeof navigator === 'undefined' || typeof navigator.storage?.estimate !== 'function') return Infinity
  const { quota, usage } = await navigator.storage.estimate()
  return quota === undefined ? Infinity : quota - (usage ?? 0)
}

/** @throws FlowForgeError `STORAGE_FULL` with what is needed and what is free, before anything is written */
export const expectRoom = async (needed: number, purpose: string, room = freeRoom): Promise<void> => {
  const free = await room()
  if (free >= needed) return
  const inMB = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`
  throw new FlowForgeError(
    'STORAGE_FULL',
    `${purpose} needs ${inMB(needed)}, and the browser allows ${inMB(Math.max(0, free))} more. Delete results, sources or kept copies that you no longer need, then try again.`,
    { needed, free }
  )
}
