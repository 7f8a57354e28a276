import { FlowForgeError } from '../../worker/api.ts'

export type DeadlineGuard = {
  /**
   * Settles as `work` does, or fails with `TIMEOUT` when that takes longer than `limit` ms (`null`: for ever), and then
   * tells `onPassed`.
   */
  guard<A>(call: string, limit: number | null, work: Promise<A>, onPassed: () => void): Promise<A>
  /** While there is no worker that could answer, no time passes. */
  pause(): void
  go(): void
}

type Clock = { readonly go: () => void; readonly pause: () => void }

const createClock = (limit: number, onEnd: () => void): Clock => {
  let left = limit
  let since = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  return {
    go: () => {
      if (timer !== undefined) return
      since = performance.now()
      timer = setTimeout(onEnd, left)
    },
    pause: () => {
      if (timer === undefined) return
      clearTimeout(timer)
      timer = undefined
      left -= performance.now() - since
    }
  }
}

const passed = (call: string, limit: number): FlowForgeError =>
  new FlowForgeError(
    'TIMEOUT',
    `${call} did not answer within ${limit / 1000} s. It may still be under way; reload the page if nothing moves.`
  )

export const createDeadlines = (): DeadlineGuard => {
  const clocks = new Set<Clock>()
  let isPaused = false

  return {
    guard: (call, limit, work, onPassed) => {
      if (limit === null) return work
      return new Promise((resolve, reject) => {
        const clock = createClock(limit, () => {
          clocks.delete(clock)
          onPassed()
          reject(passed(call, limit))
        })
        const settle = (): void => {
          clock.pause()
          clocks.delete(clock)
        }
        clocks.add(clock)
        if (!isPaused) clock.go()
        work.finally(settle).then(resolve, reject)
      })
    },
    pause: () => {
      isPaused = true
      for (const clock of clocks) clock.pause()
    },
    go: () => {
      isPaused = false
      for (const clock of clocks) clock.go()
    }
  }
}
