/** Spreads requests out in time: at most `ratePerSecond`, and none before a service that said "later" wants one. */
export type Pace = {
  /** Takes the next free moment and answers with it, in ms of the caller's clock; never before now. */
  next(nowMs: number): number
  /** Nobody is to be asked before then. */
  holdUntil(ms: number): void
}

export const createPace = (ratePerSecond: number | undefined): Pace => {
  const gap = ratePerSecond === undefined ? 0 : 1_000 / ratePerSecond
  let free = 0
  let held = 0
  return {
    next: (nowMs) => {
      const at = Math.max(nowMs, free, held)
      free = at + gap
      return at
    },
    holdUntil: (ms) => {
      held = Math.max(held, ms)
    }
  }
}
