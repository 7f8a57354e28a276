/** Something to be done in a run, once all that it needs is there. */
export type Task = {
  /** What is there once it is done. */
  readonly gives: string
  /** Of these, what no task gives is there already. */
  readonly needs: readonly string[]
  /** Waits for a service most of its time, and so goes on beside everything else. */
  readonly isAsking: boolean
  /** One that asks calls `free` once it waits for the service alone; the engine begins nothing else before. */
  readonly work: (free: () => void) => Promise<void>
}

/** How a failure reaches what else is going on. */
export type Ending = {
  /** Aborts at the first failure. */
  readonly signal: AbortSignal
  /** The first failure; undefined where there is none. */
  readonly cause: () => unknown
  readonly because: (cause: unknown) => void
}

export const createEnding = (): Ending => {
  const abortion = new AbortController()
  let first: { readonly cause: unknown } | undefined
  return {
    signal: abortion.signal,
    cause: () => first?.cause,
    because: (cause) => {
      first ??= { cause }
      abortion.abort()
    }
  }
}

/**
 * Carries tasks out: those of the engine one at a time, in the order given as far as what they need is there; those that
 * ask a service beside it and beside each other, each as soon as it can begin and before the engine goes on. After a failure nothing more is begun, and
 * it answers when all that was going on has ended.
 * @throws the first failure
 */
export const carryOutTasks = async (tasks: readonly Task[], ending: Ending): Promise<void> => {
  const missing = new Set(tasks.map(({ gives }) => gives))
  const waiting = new Set(tasks)
  const underWay = new Set<Task>()
  /** Those that the engine works for. */
  const atEngine = new Set<Task>()
  let wake = (): void => undefined

  const canBegin = ({ needs, isAsking }: Task): boolean =>
    (isAsking || atEngine.size === 0) && needs.every((id) => !missing.has(id))

  const begin = (task: Task): void => {
    waiting.delete(task)
    underWay.add(task)
    atEngine.add(task)
    const free = (): void => {
      atEngine.delete(task)
      wake()
    }
    const end = (): void => {
      underWay.delete(task)
      free()
    }
    task
      .work(free)
      .then(() => void missing.delete(task.gives), ending.because)
      .finally(end)
  }

  for (;;) {
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    if (!ending.signal.aborted) {
      for (const task of waiting) if (canBegin(task)) begin(task)
    }
    if (underWay.size === 0) break
    await woken
  }
  if (ending.signal.aborted) throw ending.cause()
  if (waiting.size > 0) {
    throw new Error(`These wait for each other: ${[...waiting].map(({ gives }) => gives).join(', ')}.`)
  }
}
