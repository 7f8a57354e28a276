import { MEMORY_BUDGET } from '../../workflow/run/memory-budget.ts'
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
  /** Aborts when the caller's does, and when the engine is lost: what follows would be told after the end. */
  readonly signal: AbortSignal
}

export type Sessions = {
  /**
   * Does one piece of work with a session of its own, starting the engine if need be. When the signal aborts it answers
   * with `CANCELED` within a second, whatever the engine is doing. `ending` stops its queries as a cancel does, and leaves
   * the work itself the time that it needs to end. Another `memoryBudget` than the engine has means another engine: the
   * old one takes no more work, and ends with what is under way on it.
   */
  work<T>(
    options: {
      readonly signal?: AbortSignal | undefined
      readonly ending?: AbortSignal | undefined
      readonly urgency?: Urgency
      /** In bytes; left out, what held last goes on holding. */
      readonly memoryBudget?: number | undefined
    },
    work: (place: Workplace) => Promise<T>
  ): Promise<T>
  close(): Promise<void>
}

/** Memory beyond this is given back by ending the worker once nothing is under way. */
const MEMORY_LIMIT = 1_000 * 1_000 * 1_000
/** The same after work that was stopped: what its query had taken is not all free again, and the next would lack it. */
const MEMORY_LIMIT_STOPPED = 400 * 1_000 * 1_000
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
type Slot = {
  readonly instance: DuckDBInstance
  underWay: number
  isRetired: boolean
  /** Whoever comes next gets another one. */
  readonly forget: () => void
  /** What was answered is being left: whether the engine goes on, or has grown too large, is known after that. */
  leaving: Promise<void>
}

export const createSessions = (): Sessions => {
  let current: Promise<Slot> | null = null
  let budget = MEMORY_BUDGET

  const retire = (slot: Slot): void => {
    slot.isRetired = true
    slot.forget()
    if (slot.underWay === 0) slot.instance.terminate()
  }

  const acquire = (wanted: number): Promise<Slot> => {
    if (current !== null && wanted === budget) return current
    // One that never started has told whoever waited for it.
    current?.then(retire, () => undefined)
    budget = wanted
    const forget = (): void => {
      if (current === starting) current = null
    }
    const starting: Promise<Slot> = startDuckDB(wanted).then((instance) => ({
      instance,
      underWay: 0,
      isRetired: false,
      forget,
      leaving: Promise.resolve()
    }))
    current = starting
    // Whoever waits for it to be left gets another one.
    starting.then((slot) => slot.instance.lost.catch(() => retire(slot)), forget)
    return starting
  }

  /** An instance that takes work. */
  const takeFor = async (signal: AbortSignal, wanted: number | undefined): Promise<Slot> => {
    for (;;) {
      // Its start is for everybody, and goes on.
      const slot = await orCanceled(signal, acquire(wanted ?? budget))
      await orCanceled(signal, slot.leaving)
      if (!slot.isRetired) return slot
    }
  }

  const leave = async (slot: Slot, session: Session, wasStopped: boolean): Promise<void> => {
    const { instance } = slot
    await session.close()
    slot.underWay -= 1
    if (slot.underWay > 0) return
    if (slot.isRetired) return instance.terminate()
    const limit = wasStopped ? MEMORY_LIMIT_STOPPED : MEMORY_LIMIT
    if ((await instance.memoryBytes()) > limit && slot.underWay === 0) retire(slot)
  }

  const work: Sessions['work'] = async (
    { signal = new AbortController().signal, ending, urgency = 'aside', memoryBudget },
    task
  ) => {
    const taken = await takeFor(signal, memoryBudget)
    const { instance } = taken
    taken.underWay += 1
    const patience = outOfPatience(signal)
    let finished = false
    const stops = ending === undefined ? signal : AbortSignal.any([signal, ending])
    const session = await Promise.race([openSession(instance, stops), instance.lost])
    const loss = new AbortController()
    instance.lost.catch(() => loss.abort())
    const place = { session, instance, signal: AbortSignal.any([stops, loss.signal]) }
    const working = task(place).finally(() => {
      finished = true
    })
    const left = working.then(
      () => leave(taken, session, stops.aborted),
      () => leave(taken, session, stops.aborted)
    )
    // Nobody need be waiting: whoever asked has been answered, and a lost instance has nothing left to close.
    left.catch(() => undefined)
    try {
      return await Promise.race([working, instance.lost, patience.promise])
    } catch (thrown) {
      const stuck = signal.aborted && !finished && (urgency === 'run' || taken.underWay === 1)
      if (stuck || isBroken(thrown)) instance.terminate()
      throw thrown
    } finally {
      const leaving = Promise.race([left, instance.lost]).catch(() => undefined)
      taken.leaving = Promise.all([taken.leaving, leaving]).then(() => undefined)
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
