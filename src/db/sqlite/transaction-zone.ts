/**
 * Knows which transaction the code that runs right now belongs to, although the document's API passes no handle and
 * browsers have no async context.
 *
 * A transaction's function runs with its scope as the current one until its first `await`. What it awaits are promises
 * that calls inside gave it; `bound` makes them. Such a promise answers `await` through its own `then`, because its
 * `constructor` is not `Promise`, and the continuation is queued by the very call of the awaiter's `resolve`. One
 * microtask queued just before that call and one just after therefore bracket the continuation exactly: nobody else's
 * code can come between. What the continuation queues in its turn (an async function's return, a `Promise.all`) is
 * bracketed the same way: the opening microtask queues the next opening one before it, the closing one after it.
 */
export type Zone<Scope extends object> = {
  current(): Scope | null
  /** Runs `work` as part of `scope`. */
  within<T>(scope: Scope, work: () => T): T
  /** Makes what awaits this promise go on as part of `scope`. The promise must be nobody else's yet. */
  bound<T>(scope: Scope, promise: Promise<T>): Promise<T>
}

/** How many promises may stand between a call and the code that awaits it: async functions around it, `Promise.all`. */
const DEPTH = 12

export const createZone = <Scope extends object>(isOver: (scope: Scope) => boolean): Zone<Scope> => {
  let current: Scope | null = null

  const within = <T>(scope: Scope, work: () => T): T => {
    const before = current
    current = scope
    try {
      return work()
    } finally {
      current = before
    }
  }

  const enter = (scope: Scope, depth: number): void => {
    queueMicrotask(() => {
      if (isOver(scope)) return
      current = scope
      if (depth > 1) enter(scope, depth - 1)
    })
  }

  const leave = (scope: Scope, depth: number): void => {
    queueMicrotask(() => {
      current = null
      if (depth > 1 && !isOver(scope)) leave(scope, depth - 1)
    })
  }

  const bracket =
    <A, R>(scope: Scope, settle: (answer: A) => R) =>
    (answer: A): R => {
      enter(scope, DEPTH)
      try {
        return isOver(scope) ? settle(answer) : within(scope, () => settle(answer))
      } finally {
        leave(scope, DEPTH)
      }
    }

  const bound = <T>(scope: Scope, promise: Promise<T>): Promise<T> => {
    const { then } = promise
    return Object.defineProperties(promise, {
      constructor: { value: undefined },
      // oxlint-disable-next-line unicorn/no-thenable -- being a thenable of its own is the point; see above
      then: {
        value: (onValue?: ((value: T) => unknown) | null, onReason?: ((reason: unknown) => unknown) | null) =>
          then.call(promise, onValue && bracket(scope, onValue), onReason && bracket(scope, onReason))
      }
    })
  }

  return {
    current: () => (current !== null && isOver(current) ? null : current),
    within,
    bound
  }
}
