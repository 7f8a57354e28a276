import { startDuckDB, type DuckDBInstance } from './duckdb-instance.ts'
import { canceledError, isBroken } from './engine-errors.ts'
import { orCanceled } from './or-canceled.ts'
import { openSession, type Session } from './session.ts'

/** A run's cancel must be obeyed at any price; anything else may be left to end by itself while others work. */
export type Urgency = 'run' | 'aside'

/** Work that uses an instance beyond its own session: tables that stay for the next. */
export type Workplace = {
  readonly session: Session
  readonly instance: DuckDBInstance
  readonly signal: AbortSignal
}

export type Sessions = {
  /**
   * Does one piece of work with a session of its own, starting the engine if need be. When the signal aborts it answers
   * with `CANCELED` within a second, whatever the engine is doing. `ending` stops its queries as a cancel does, and leaves
   * the work itself the time that it needs to end.
   */
  work<T>(
    options: {
      readonly signal?: AbortSignal | undefined
      readonly ending?: AbortSignal | undefined
      readonly urgency?: Urgency
    },
    work: (place: Workplace) => Promise<T>
  ): Promise<T>
  close(): Promise<void>
}

/** Memory beyond this is given back by ending the worker once nothing is under way. */
const MEMORY_LIMIT = 1_000 * 1_000 * 1_000
/** How long a query may take to notice that it is canceled. */
const PATIENCE_MS = 600

/** Rejects when the signal has been aborted for longer than a well-behaved query needs. */
const outOfPatience = (
  signal: AbortSignal
): { readonly promise: Promise<never>; readonly forget: () => void } => {
  let timer: ReturnType<typeof setTimeout> | undefined
  let onAbort = (): void => undefined
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(canceledError()), PATIENCE_MS)
    }
  })
  signal.addEventListener('abort', onAbort)
  return {
    promise,
    forget: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

/** What is under way on one instance; a lost instance's count goes with it. */
type Slot = { readonly instance: DuckDBInstance; underWay: number }

export const createSessions = (): Sessions => {
  let current: Promise<Slot> | null = null

  const acquire = (): Promise<Slot> => {
    if (current !== null) return current
    const starting = startDuckDB().then((instance): Slot => ({ instance, underWay: 0 }))
    current = starting
    const forget = (): void => {
      if (current === starting) current = null
    }
    starting.then(({ instance }) => instance.lost.catch(forget), forget)
    return starting
  }

  const leave = async (slot: Slot, session: Session): Promise<void> => {
    const { instance } = slot
    await session.close()
    slot.underWay -= 1
    if (slot.underWay === 0 && (await instance.memoryBytes()) > MEMORY_LIMIT && slot.underWay === 0) {
      instance.terminate()
    }
  }

  const work: Sessions['work'] = async (
    { signal = new AbortController().signal, ending, urgency = 'aside' },
    task
  ) => {
    // Its start is for everybody, and goes on.
    const slot = await orCanceled(signal, acquire())
    const { instance } = slot
    slot.underWay += 1
    const patience = outOfPatience(signal)
    let finished = false
    const stops = ending === undefined ? signal : AbortSignal.any([signal, ending])
    const session = await Promise.race([openSession(instance, stops), instance.lost])
    const working = task({ session, instance, signal: stops }).finally(() => {
      finished = true
    })
    const left = working.then(
      () => leave(slot, session),
      () => leave(slot, session)
    )
    // Nobody need be waiting: whoever gave up has been answered, and a lost instance has nothing left to close.
    left.catch(() => undefined)
    try {
      const answer = await Promise.race([working, instance.lost, patience.promise])
      // The answer stands, also if the engine ends now: `leave` itself ends it where it has grown too large.
      await Promise.race([left, instance.lost.catch(() => undefined)])
      return answer
    } catch (thrown) {
      const stuck = signal.aborted && !finished && (urgency === 'run' || slot.underWay === 1)
      if (stuck || isBroken(thrown)) instance.terminate()
      throw thrown
    } finally {
      patience.forget()
    }
  }

  return {
    work,
    close: async () => {
      if (current !== null) (await current).instance.terminate()
    }
  }
}
