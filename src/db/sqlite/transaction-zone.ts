/**
 * Knows which transaction the code that runs right now belongs to, although the document's API passes no handle and
 * browsers have no async context.
 *
 * A transaction's function runs with its scope as the current one until its first `await`. What it then awaits are
 * promises that calls inside gave it; `bound` makes them. Such a promise answers `await` through its own `then`, because
 * its `constructor` is not `Promise`, and the continuation is queued by the very call of the awaiter's `resolve`. One
 * microtask queued just before that call and one just after therefore bracket the continuation exactly: nobody else's
 * code can come between. What `.then`, `.catch` and `.finally` of such a promise give is bound in its turn.
 *
 * That is all there is to it: whoever awaits anything else (an async function of its own, `Promise.all`, a timer) goes
 * on outside of the brackets and needs the context that it was given. To reach further would take strangers in, whom
 * the transaction happens to wake.
 */
export type Zone<Scope extends object> = {
  current(): Scope | null
  /** Runs `work` as part of `scope`. */
  within<T>(scope: Scope, work: () => T): T
  /** Makes what awaits this very promise go on as part of `scope`. The promise must be nobody else's yet. */
  bound<T>(scope: Scope, promise: Promise<T>): Promise<T>
}

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

  const bracket =
    <A, R>(scope: Scope, settle: (answer: A) => R) =>
    (answer: A): R => {
      queueMicrotask(() => {
        if (!isOver(scope)) current = scope
      })
      try {
        return isOver(scope) ? settle(answer) : within(scope, () => settle(answer))
      } finally {
        queueMicrotask(() => {
          current = null
        })
      }
    }

  const bound = <T>(scope: Scope, promise: Promise<T>): Promise<T> => {
    const { then } = promise
    return Object.defineProperties(promise, {
      constructor: { value: undefined },
      // oxlint-disable-next-line unicorn/no-thenable -- being a thenable of its own is the point; see above
      then: {
        value: (onValue?: ((value: T) => unknown) | null, onReason?: ((reason: unknown) => unknown) | null) =>
          // What `.then`, `.catch` and `.finally` give is bound too: its own continuation comes a round later.
          bound(
            scope,
            then.call(promise, onValue && bracket(scope, onValue), onReason && bracket(scope, onReason))
          )
      }
    })
  }

  return {
    current: () => (current !== null && isOver(current) ? null : current),
    within,
    bound
  }
}
