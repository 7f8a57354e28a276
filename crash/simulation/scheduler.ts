/** Macrotasks and timers on a clock that moves only when there is nothing else to do: runs are fast, and repeat. */
export type Scheduler = {
  /** Milliseconds since the scheduler was made; never real time. */
  now(): number
  post(task: () => void): void
  after(ms: number, task: () => void): number
  cancel(timer: number): void
  /** Lets everything run until the promise has settled. @throws Error where nothing is left that could settle it */
  run<T>(promise: Promise<T>): Promise<T>
}

const microtasks = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export const createScheduler = (): Scheduler => {
  const posted: (() => void)[] = []
  const timers = new Map<number, { readonly at: number; readonly task: () => void }>()
  let now = 0
  let lastTimer = 0

  const takeTimer = (): (() => void) | undefined => {
    let first: { key: number; at: number; task: () => void } | undefined
    for (const [key, { at, task }] of timers)
      if (first === undefined || at < first.at) first = { key, at, task }
    if (first === undefined) return undefined
    timers.delete(first.key)
    now = Math.max(now, first.at)
    return first.task
  }

  return {
    now: () => now,
    post: (task) => void posted.push(task),
    after: (ms, task) => {
      lastTimer += 1
      timers.set(lastTimer, { at: now + ms, task })
      return lastTimer
    },
    cancel: (timer) => void timers.delete(timer),
    run: async (promise) => {
      let isSettled = false
      const settle = (): void => {
        isSettled = true
      }
      promise.then(settle, settle)
      for (;;) {
        await microtasks()
        if (isSettled) return promise
        const task = posted.shift() ?? takeTimer()
        if (task === undefined) throw new Error('Everybody waits, and nothing is left that could go on.')
        task()
      }
    }
  }
}
