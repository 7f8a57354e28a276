import type { Target } from './target.ts'

const REPLACING = new Set(['flowforge.backup.restore', 'flowforge.backup.undoRestore'])

/**
 * A program whose storage may be replaced under it. From then on it answers no new call, as if it had died: whoever
 * asked is answered by the program that is started over the storage that is opened next.
 */
export const createReplaceable = (args: {
  readonly onReplaced: () => void
  /** Closes the old storage, and leads over the new one. */
  readonly reopen: () => Promise<void>
  readonly onFailure: (thrown: unknown) => void
}): { readonly replaced: () => void; readonly guard: (target: Target) => Target } => {
  const { onReplaced, reopen, onFailure } = args
  const state = { isReplaced: false }
  return {
    replaced: () => {
      state.isReplaced = true
      onReplaced()
    },
    guard: (target) => ({
      ...target,
      call: async (call, wasSent) => {
        if (state.isReplaced) return new Promise(() => undefined)
        try {
          return await target.call(call, wasSent)
        } finally {
          // The call that replaced it ends now; its answer goes out before the new storage is opened.
          if (state.isReplaced && REPLACING.has(call.path.join('.'))) {
            setTimeout(() => reopen().catch(onFailure))
          }
        }
      }
    })
  }
}
