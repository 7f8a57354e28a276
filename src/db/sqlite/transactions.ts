import { FlowForgeError, type CommitListener } from '../ports.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { createZone } from './transaction-zone.ts'

/** A piece of work that is done at one go: all of its statements run before anybody else's. */
export type Unit<T> = () => T

/** An open transaction (or, below it, a savepoint), and who waits for the one that is open inside of it. */
export type Scope = {
  readonly depth: number
  child: Scope | null
  isOver: boolean
  readonly waiting: (() => void)[]
}

/** Who waits, and since when in ms of `performance.now()`. */
type Waiting = { readonly since: number; readonly settle: Settle } & (
  | { readonly kind: 'unit'; readonly writes: boolean; readonly work: Unit<unknown> }
  | { readonly kind: 'transaction'; readonly start: () => Promise<void> }
)
type Settle = { resolve: (value: unknown) => void; reject: (reason: unknown) => void }
type Outcome =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

export type Transactions = {
  /** Does a unit: within `scope`, or within the transaction that the running code belongs to, or after those who wait. */
  perform<T>(scope: Scope | null, writes: boolean, work: Unit<T>): Promise<T>
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
/** A transaction that did nothing for so long, while others wait, is taken for one that waits for them. */
const IDLE_LIMIT_MS = 10_000

const ENDED = 'This transaction has ended; its context can no longer be used.'
const STUCK =
  'Waited too long for a transaction that does nothing. Code inside runInTransaction that awaits something else must ' +
  'use the context that it was given.'

const attempt = (work: Unit<unknown>): Outcome => {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    return { ok: false, error }
  }
}

/** Runs what follows after the messages that have already arrived: their calls can then share a commit. */
const createTick = (task: () => void): { schedule: () => void; close: () => void } => {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = task
  return {
    schedule: () => port2.postMessage(null),
    close: () => port1.close()
  }
}

/**
 * Serializes everybody who uses one connection. Units that wait together are committed together, each in its own
 * savepoint, and are answered after COMMIT: one flush for all, and one caller's failure touches no other.
 */
export const createTransactions = (
  database: SqliteDatabase,
  idleLimitMs = IDLE_LIMIT_MS,
  /** Told before a transaction begins that may write. */
  onBegin: () => void = () => undefined
): Transactions => {
  const zone = createZone<Scope>((scope) => scope.isOver)
  const listeners = new Set<CommitListener>()
  const queue: Waiting[] = []
  let open: Scope | null = null
  let isScheduled = false
  let isClosed = false
  let idle: (() => void) | null = null
  /** When something was last done in the open transaction, in ms of `performance.now()`. */
  let lastUsed = 0
  let watching: ReturnType<typeof setTimeout> | null = null
  const afterwards: (() => void)[] = []
  /** Why SQLite rolled the whole transaction back by itself (full, I/O, memory); nothing may go on in it then. */
  let lost: { readonly cause: unknown } | null = null

  const isAutocommit = (): boolean => database.sqlite3.capi.sqlite3_get_autocommit(database.handle) !== 0

  const tell = (): void => {
    for (const task of afterwards.splice(0)) {
      const outcome = attempt(task)
      if (!outcome.ok) console.error('What follows a transaction failed', outcome.error)
    }
    if (database.written.size === 0) return
    const tables = new Set(database.written)
    database.written.clear()
    for (const listener of listeners) {
      try {
        listener({ tables })
      } catch (thrown) {
        // The commit stands; a listener's own failure must not reach who committed, nor stop the queue.
        console.error('A commit listener failed', thrown)
      }
    }
  }

  const rollBack = (): void => {
    database.written.clear()
    // A failed COMMIT may have rolled back by itself; then there is nothing to roll back.
    if (!isAutocommit()) database.run('ROLLBACK')
  }

  const noteIfLost = (cause: unknown): void => {
    if (isAutocommit()) lost ??= { cause }
  }

  const inSavepoint = (name: string, work: Unit<unknown>): Outcome => {
    const before = new Set(database.written)
    database.run(`SAVEPOINT ${name}`)
    try {
      const value = work()
      database.run(`RELEASE ${name}`)
      return { ok: true, value }
    } catch (error) {
      noteIfLost(error)
      if (lost === null) {
        database.run(`ROLLBACK TO ${name}`)
        database.run(`RELEASE ${name}`)
      }
      database.written.clear()
      for (const table of before) database.written.add(table)
      return { ok: false, error }
    }
  }

  type UnitWaiting = Extract<Waiting, { kind: 'unit' }>

  const answer = (units: readonly UnitWaiting[], outcomes: readonly Outcome[]): void => {
    units.forEach(({ settle }, index) => {
      const outcome = outcomes[index]
      if (outcome?.ok === true) settle.resolve(outcome.value)
      else settle.reject(outcome?.error)
    })
  }

  const commitGroup = (units: readonly UnitWaiting[]): void => {
    if (units.every((unit) => !unit.writes)) {
      answer(
        units,
        units.map(({ work }) => attempt(work))
      )
      return
    }
    try {
      onBegin()
      database.run('BEGIN IMMEDIATE')
      const [only] = units
      // One caller alone needs no savepoint: its failure is the transaction's.
      const outcomes =
        units.length === 1 && only !== undefined
          ? [attempt(only.work)]
          : units.map(({ writes, work }) => {
              if (lost !== null) return { ok: false as const, error: lost.cause }
              const outcome = writes ? inSavepoint('caller', work) : attempt(work)
              if (!outcome.ok) noteIfLost(outcome.error)
              return outcome
            })
      if (units.length > 1 && lost !== null) {
        // One of them took the whole group down: each once more, alone.
        lost = null
        database.written.clear()
        for (const unit of units) commitGroup([unit])
        return
      }
      if (outcomes.length === 1 && outcomes[0]?.ok === false) rollBack()
      else database.run('COMMIT')
      answer(units, outcomes)
      tell()
    } catch (error) {
      lost = null
      rollBack()
      for (const { settle } of units) settle.reject(error)
      tell()
    }
  }

  const takeUnits = (): UnitWaiting[] => {
    const units: UnitWaiting[] = []
    while (units.length < GROUP_LIMIT) {
      const [next] = queue
      if (next?.kind !== 'unit') break
      units.push(next)
      queue.shift()
    }
    return units
  }

  const drain = (): void => {
    isScheduled = false
    while (open === null) {
      const units = takeUnits()
      if (units.length > 0) {
        commitGroup(units)
        continue
      }
      const next = queue.shift()
      if (next?.kind !== 'transaction') break
      void next.start()
    }
    if (open === null && queue.length === 0) idle?.()
  }

  const tick = createTick(drain)
  const schedule = (): void => {
    if (isScheduled || open !== null) return
    isScheduled = true
    tick.schedule()
  }

  const unwatch = (): void => {
    if (watching !== null) clearTimeout(watching)
    watching = null
  }

  /** Frees those who wait for a transaction that, as it does nothing, is most likely waiting for them. */
  const watch = (): void => {
    const [longest] = queue
    if (watching !== null || open === null || longest === undefined) return
    const now = performance.now()
    watching = setTimeout(
      () => {
        watching = null
        refuseStuck()
        watch()
      },
      idleLimitMs - Math.min(now - lastUsed, now - longest.since)
    )
  }

  const refuseStuck = (): void => {
    const since = performance.now() - idleLimitMs
    if (open === null || lastUsed > since) return
    // They stand in the order in which they came.
    const rest = queue.findIndex((waiting) => waiting.since > since)
    const error = new FlowForgeError('TIMEOUT', STUCK)
    for (const { settle } of queue.splice(0, rest === -1 ? queue.length : rest)) settle.reject(error)
  }

  const openScope = (depth: number): Scope => ({
    depth,
    child: null,
    isOver: false,
    waiting: []
  })

  const enqueue = <T>(make: (settle: Settle) => Waiting): Promise<T> => {
    if (isClosed) return Promise.reject(new FlowForgeError('STORAGE_UNAVAILABLE', 'The storage is closed.'))
    return new Promise<T>((resolve, reject) => {
      queue.push(make({ resolve: resolve as (value: unknown) => void, reject }))
      schedule()
      watch()
    })
  }

  /** Waits until no other savepoint is open inside the scope, and does `work` before anybody else can open one. */
  const turn = async <T>(scope: Scope, work: () => T | Promise<T>): Promise<T> => {
    while (scope.child !== null) await new Promise<void>((resolve) => scope.waiting.push(resolve))
    if (scope.isOver) throw new FlowForgeError('NOT_ALLOWED', ENDED)
    if (lost !== null) throw lost.cause
    return work()
  }

  const performWithin = <T>(scope: Scope, work: Unit<T>): Promise<T> => {
    const now = (): T => {
      lastUsed = performance.now()
      if (lost !== null) throw lost.cause
      const outcome = inSavepoint('unit', work)
      if (outcome.ok) return outcome.value as T
      throw outcome.error
    }
    if (scope.isOver) return Promise.reject(new FlowForgeError('NOT_ALLOWED', ENDED))
    if (scope.child !== null) return zone.bound(scope, turn(scope, now))
    // At once, so that a caller who does not await still writes in the order of its calls.
    const outcome = attempt(now)
    return zone.bound(scope, outcome.ok ? Promise.resolve(outcome.value as T) : Promise.reject(outcome.error))
  }

  const endChild = (parent: Scope): void => {
    parent.child = null
    for (const wake of parent.waiting.splice(0)) wake()
  }

  const nest = async <T>(parent: Scope, fn: (scope: Scope) => T | Promise<T>): Promise<T> => {
    const scope = openScope(parent.depth + 1)
    const name = `nested_${scope.depth}`
    const before = new Set(database.written)
    parent.child = scope
    try {
      database.run(`SAVEPOINT ${name}`)
      const value = await zone.within(scope, () => fn(scope))
      await turn(scope, () => {
        scope.isOver = true
      })
      database.run(`RELEASE ${name}`)
      return value
    } catch (thrown) {
      scope.isOver = true
      noteIfLost(thrown)
      if (lost === null) {
        database.run(`ROLLBACK TO ${name}`)
        database.run(`RELEASE ${name}`)
      }
      database.written.clear()
      for (const table of before) database.written.add(table)
      throw thrown
    } finally {
      lastUsed = performance.now()
      endChild(parent)
    }
  }

  const runWithin = <T>(parent: Scope, fn: (scope: Scope) => T | Promise<T>): Promise<T> => {
    if (parent.isOver) return Promise.reject(new FlowForgeError('NOT_ALLOWED', ENDED))
    const nested = turn(parent, () => nest(parent, fn))
    return zone.bound(parent, nested)
  }

  const runAlone = async <T>(fn: (scope: Scope) => T | Promise<T>): Promise<T> => {
    const scope = openScope(0)
    open = scope
    lastUsed = performance.now()
    watch()
    try {
      onBegin()
      database.run('BEGIN IMMEDIATE')
      const value = await zone.within(scope, () => fn(scope))
      await turn(scope, () => {
        scope.isOver = true
      })
      database.run('COMMIT')
      return value
    } catch (thrown) {
      scope.isOver = true
      rollBack()
      throw thrown
    } finally {
      lost = null
      open = null
      unwatch()
      tell()
      schedule()
    }
  }

  return {
    perform: (scope, writes, work) => {
      const inside = scope ?? zone.current()
      if (inside !== null) return performWithin(inside, work)
      return enqueue((settle) => ({ kind: 'unit', since: performance.now(), writes, work, settle }))
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
      if (isAutocommit()) task()
      else afterwards.push(task)
    },
    onCommit: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      if (open !== null || queue.length > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve
          schedule()
        })
      }
      isClosed = true
      tick.close()
    }
  }
}
