import { FlowForgeError, type CommitListener } from '../ports.ts'
import { createCommitGroup, type Gather, type Unit } from './commit-group.ts'
import { attempt, createSavepoints, type Outcome, type TransactionalDatabase } from './savepoints.ts'
import { createZone } from './transaction-zone.ts'
import { createWaitingLine, type Waiting } from './waiting-line.ts'

export type { Gather, Unit } from './commit-group.ts'
export type { Outcome } from './savepoints.ts'

/** An open transaction (or, below it, a savepoint), and who waits for the one that is open inside of it. */
export type Scope = {
  readonly depth: number
  child: Scope | null
  isOver: boolean
  readonly waiting: (() => void)[]
}

export type Transactions = {
  /** Does a unit: within `scope`, or within the transaction that the running code belongs to, or after those who wait. */
  perform<T>(scope: Scope | null, writes: boolean, work: Unit<T>): Promise<T>
  /** The same for a write that may be done together with those of the callers beside it. */
  performGathered<I, O>(scope: Scope | null, gather: Gather<I, O>, input: I): Promise<O>
  run<T>(scope: Scope | null, fn: (scope: Scope) => T | Promise<T>): Promise<T>
  /** The transaction that the running code belongs to, for work that awaits something else before it comes back. */
  current(): Scope | null
  /** Makes what awaits this very promise go on as part of the transaction. */
  bound<T>(scope: Scope, promise: Promise<T>): Promise<T>
  /** Does something once the database stands as committed: at once, or when the open transaction has ended either way. */
  whenNoneIsOpen(task: () => void): void
  onCommit(listener: CommitListener): () => void
  /** Answers when all that was waiting is done; what comes later is refused. */
  close(): Promise<void>
}

/** How many waiting callers' units share one commit at the most. */
const GROUP_LIMIT = 2_000
/** See `createWaitingLine`. */
const IDLE_LIMIT_MS = 10_000
/** So long may reads follow each other at once, in ms, before what has arrived meanwhile is let in between. */
const READS_MS = 2

const ENDED = 'This transaction has ended; its context can no longer be used.'

/** Runs what follows after the messages that have already arrived. */
const createTick = (task: () => void): { schedule: () => void; close: () => void } => {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = task
  return {
    schedule: () => port2.postMessage(null),
    close: () => port1.close()
  }
}

const openScope = (depth: number): Scope => ({ depth, child: null, isOver: false, waiting: [] })

const valueOf = <T>(outcome: Outcome<T> | undefined): T => {
  if (outcome?.ok === true) return outcome.value
  throw outcome === undefined
    ? new FlowForgeError('INTERNAL', 'A caller was left without an outcome.')
    : outcome.error
}

/** Serializes everybody who uses one connection: units in groups (see `createCommitGroup`), transactions one by one. */
export const createTransactions = (
  database: TransactionalDatabase,
  idleLimitMs = IDLE_LIMIT_MS,
  /** Told before a transaction begins that may write. */
  onBegin: () => void = () => undefined
): Transactions => {
  const zone = createZone<Scope>((scope) => scope.isOver)
  const savepoints = createSavepoints(database, onBegin)
  const line = createWaitingLine(idleLimitMs)
  const listeners = new Set<CommitListener>()
  const afterwards: (() => void)[] = []
  let open: Scope | null = null
  let isScheduled = false
  /** Somebody was served, and what had arrived by then has not all been read: whoever comes waits for the others. */
  let isGathering = false
  /** Since when, in ms of `performance.now()`, it is waited for what had arrived to be read; null where it all has been. */
  let servingSince: number | null = null
  let isClosed = false
  let idle: (() => void) | null = null

  const tell = (): void => {
    for (const task of afterwards.splice(0)) {
      const outcome = attempt(task)
      if (!outcome.ok) console.error('What follows a transaction failed', outcome.error)
    }
    if (database.written.size === 0) return
    const tables = new Set(database.written)
    database.written.clear()
    for (const listener of listeners) {
      const outcome = attempt(() => listener({ tables }))
      // The commit stands; a listener's own failure must not reach who committed, nor stop the queue.
      if (!outcome.ok) console.error('A commit listener failed', outcome.error)
    }
  }

  const commitGroup = createCommitGroup(savepoints, tell)

  const drain = (): void => {
    isScheduled = false
    while (open === null) {
      const units = line.takeUnits(GROUP_LIMIT)
      if (units.length > 0) {
        commitGroup(units)
        waitForOthers(units.some(({ writes }) => writes))
        continue
      }
      const start = line.takeTransaction()
      if (start === undefined) break
      void start()
    }
    if (open === null && line.length() === 0) idle?.()
  }

  const tick = createTick(() => {
    isGathering = false
    servingSince = null
    if (line.length() > 0 || idle !== null) drain()
  })
  const waitForOthers = (wrote: boolean): void => {
    if (servingSince === null) {
      servingSince = performance.now()
      tick.schedule()
    }
    if (wrote || performance.now() - servingSince > READS_MS) isGathering = true
  }
  /**
   * The first who comes is served at once. While that is done others arrive, and share the next commit: it is made when
   * all that had arrived has been read. Reads have nothing to share, and follow each other at once; but who asks again
   * and again lets messages in between, too.
   */
  const schedule = (): void => {
    if (isScheduled || open !== null || isGathering) return
    isScheduled = true
    queueMicrotask(drain)
  }

  const enqueue = <T>(make: (settle: Waiting['settle']) => Waiting): Promise<T> => {
    if (isClosed) return Promise.reject(new FlowForgeError('STORAGE_UNAVAILABLE', 'The storage is closed.'))
    return new Promise<T>((resolve, reject) => {
      line.add(make({ resolve: resolve as (value: unknown) => void, reject }))
      schedule()
    })
  }

  /** Waits until no other savepoint is open inside the scope, and does `work` before anybody else can open one. */
  const turn = async <T>(scope: Scope, work: () => T | Promise<T>): Promise<T> => {
    while (scope.child !== null) await new Promise<void>((resolve) => scope.waiting.push(resolve))
    if (scope.isOver) throw new FlowForgeError('NOT_ALLOWED', ENDED)
    const lost = savepoints.loss()
    if (lost !== null) throw lost.cause
    return work()
  }

  const performWithin = <T>(scope: Scope, writes: boolean, work: Unit<T>): Promise<T> => {
    const now = (): T => {
      line.used()
      const lost = savepoints.loss()
      if (lost !== null) throw lost.cause
      return valueOf(writes ? savepoints.within(work) : savepoints.bare(work))
    }
    if (scope.isOver) return Promise.reject(new FlowForgeError('NOT_ALLOWED', ENDED))
    if (scope.child !== null) return zone.bound(scope, turn(scope, now))
    // At once, so that a caller who does not await still writes in the order of its calls.
    const outcome = attempt(now)
    return zone.bound(scope, outcome.ok ? Promise.resolve(outcome.value) : Promise.reject(outcome.error))
  }

  const endChild = (parent: Scope): void => {
    parent.child = null
    for (const wake of parent.waiting.splice(0)) wake()
  }

  const nest = async <T>(parent: Scope, fn: (scope: Scope) => T | Promise<T>): Promise<T> => {
    const scope = openScope(parent.depth + 1)
    parent.child = scope
    const savepoint = attempt(() => savepoints.open(`nested_${scope.depth}`))
    try {
      const { release } = valueOf(savepoint)
      const value = await zone.within(scope, () => fn(scope))
      await turn(scope, () => {
        scope.isOver = true
      })
      release()
      return value
    } catch (thrown) {
      scope.isOver = true
      if (savepoint.ok) savepoint.value.undo(thrown)
      throw thrown
    } finally {
      line.used()
      endChild(parent)
    }
  }

  const runWithin = <T>(parent: Scope, fn: (scope: Scope) => T | Promise<T>): Promise<T> => {
    if (parent.isOver) return Promise.reject(new FlowForgeError('NOT_ALLOWED', ENDED))
    return zone.bound(
      parent,
      turn(parent, () => nest(parent, fn))
    )
  }

  const runAlone = async <T>(fn: (scope: Scope) => T | Promise<T>): Promise<T> => {
    const scope = openScope(0)
    open = scope
    line.opened()
    try {
      savepoints.begin()
      const value = await zone.within(scope, () => fn(scope))
      await turn(scope, () => {
        scope.isOver = true
      })
      savepoints.commit()
      return value
    } catch (thrown) {
      scope.isOver = true
      savepoints.rollBack()
      throw thrown
    } finally {
      open = null
      line.closed()
      tell()
      schedule()
    }
  }

  return {
    perform: (scope, writes, work) => {
      const inside = scope ?? zone.current()
      if (inside !== null) return performWithin(inside, writes, work)
      const since = performance.now()
      return enqueue((settle) => ({ kind: 'unit', since, writes, work, gathered: null, settle }))
    },
    performGathered: <I, O>(scope: Scope | null, gather: Gather<I, O>, input: I): Promise<O> => {
      const work = (): O => valueOf(gather([input])[0])
      const inside = scope ?? zone.current()
      if (inside !== null) return performWithin(inside, true, work)
      const since = performance.now()
      // What one gatherer is given is what its own callers hand in here; the line only keeps them together.
      const gathered = { gather: gather as Gather<unknown, unknown>, input }
      return enqueue((settle) => ({ kind: 'unit', since, writes: true, work, gathered, settle }))
    },
    run: (scope, fn) => {
      const inside = scope ?? zone.current()
      if (inside !== null) return runWithin(inside, fn)
      return enqueue((settle) => ({
        kind: 'transaction',
        since: performance.now(),
        settle,
        start: () => runAlone(fn).then(settle.resolve, settle.reject)
      }))
    },
    current: zone.current,
    bound: zone.bound,
    whenNoneIsOpen: (task) => {
      if (savepoints.isAutocommit()) task()
      else afterwards.push(task)
    },
    onCommit: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      // In the turn that finds nobody waiting: who was answered in it may ask again before a promise could tell of it.
      const shut = (): void => {
        isClosed = true
        tick.close()
      }
      if (open === null && line.length() === 0) return shut()
      await new Promise<void>((resolve) => {
        idle = () => {
          idle = null
          shut()
          resolve()
        }
        schedule()
      })
    }
  }
}
