/** Watches whether somebody still answers. */
export type Pulse = {
  /** Something was heard. */
  heard(): void
  end(): void
}

/** A single silence may be a machine that was busy, or asleep. */
const MISSED_LIMIT = 2

/**
 * Asks every `everyMs`, and tells when nothing was heard for two of these, and when it is heard again. Who does not
 * answer is asked no more: what waits for it is enough.
 */
export const createPulse = (args: {
  readonly everyMs: number
  readonly ask: () => void
  readonly tell: (isSilent: boolean) => void
}): Pulse => {
  const { everyMs, ask, tell } = args
  let isAsked = false
  let missed = 0
  const timer = setInterval(() => {
    if (!isAsked) {
      isAsked = true
      ask()
      return
    }
    missed += 1
    if (missed === MISSED_LIMIT) tell(true)
  }, everyMs)
  return {
    heard: () => {
      const wasSilent = missed >= MISSED_LIMIT
      isAsked = false
      missed = 0
      if (wasSilent) tell(false)
    },
    end: () => {
      clearInterval(timer)
      missed = 0
    }
  }
}
