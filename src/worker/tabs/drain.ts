import type { Target } from './target.ts'

/** A target that knows what of it is under way. */
export type Drainable = Target & {
  /** Answers when every call that it was given has been settled. */
  drained(): Promise<void>
}

export const createDrainable = (target: Target): Drainable => {
  const underWay = new Set<Promise<unknown>>()
  return {
    ...target,
    call: async (call, wasSent) => {
      const answer = target.call(call, wasSent)
      underWay.add(answer)
      try {
        return await answer
      } finally {
        underWay.delete(answer)
      }
    },
    drained: async () => {
      // oxlint-disable-next-line no-await-in-loop -- what was asked before may ask for more
      while (underWay.size > 0) await Promise.allSettled(underWay)
    }
  }
}
