import { FlowForgeError } from '../../worker/api.ts'

/** How the page speaks with one worker; made anew for each. */
export type Connection = {
  /** Makes the worker hold this lock for as long as it lives. */
  holdLock(name: string): Promise<void>
  /** The worker's end will be noticed: it may be asked. */
  open(): void
  /** Answers if the worker does. */
  ping(): Promise<void>
  /** Hears nothing of it any more. */
  end(): void
}

export type WorkerLife = {
  /** Ends the worker for a while: a page that sleeps must not keep what other tabs wait for. */
  pause(): void
  /** Starts one again. */
  go(): void
  /** Starts another one if this one does not answer for a while; a person has asked for it. */
  look(): void
  /** The worker has become ready: whatever ended those before is past. */
  noteReady(): void
}

/** So many workers in a row that did not become ready are the end of it, and so many within a minute that did. */
const NEVER_READY_LIMIT = 3
const LIMIT = 10
const WINDOW_MS = 60_000
/** Before another try after one that did not become ready. */
const PAUSE_MS = 300
/**
 * A worker that is ended before its page has heard of its lock leaves no trace of that: one that is not heard of for so
 * long is replaced, the next one after twice as long, for it may be the network that is slow.
 */
const UNHEARD_MS = 20_000
const LONGEST_UNHEARD_MS = 5 * 60_000
/** So long a worker may take to answer when it is looked whether it does. */
const LOOK_MS = 3_000

const lost = (reason: string): FlowForgeError =>
  new FlowForgeError(
    'WORKER_LOST',
    `FlowForge's background worker stopped again and again (${reason}). What was saved is safe; reload the page to go on.`
  )

/**
 * Keeps a worker running: one that dies is replaced. A worker that throws tells so; one that ends without a word lets go
 * of the lock that it held.
 */
export const keepWorker = (args: {
  start: () => Worker
  /** There is a new worker to speak with. */
  connect: (worker: Worker) => Connection
  /** There is none for now. */
  onEnd: () => void
  /** There will be none any more. */
  onGiveUp: (error: FlowForgeError) => void
  newId: () => string
  unheardMs?: number
  locks?: LockManager
}): WorkerLife => {
  const { start, connect, onEnd, onGiveUp, newId, unheardMs = UNHEARD_MS, locks = navigator.locks } = args
  let endCurrent: (() => void) | null = null
  let current: Connection | null = null
  let patienceMs = unheardMs
  let timer: ReturnType<typeof setTimeout> | undefined
  let isPaused = false
  let isOver = false
  let neverReady = 0
  let deaths: number[] = []

  const die = (reason: string): void => {
    endCurrent?.()
    const now = performance.now()
    deaths = [...deaths.filter((at) => now - at < WINDOW_MS), now]
    neverReady += 1
    if (neverReady >= NEVER_READY_LIMIT || deaths.length >= LIMIT) {
      isOver = true
      onGiveUp(lost(reason))
      return
    }
    if (neverReady > 1) timer = setTimeout(begin, PAUSE_MS)
    else begin()
  }

  const begin = (): void => {
    if (isPaused || isOver || endCurrent !== null) return
    clearTimeout(timer)
    const worker = start()
    const watch = new AbortController()
    const connection = connect(worker)
    current = connection
    const unheard = setTimeout(() => {
      patienceMs = Math.min(2 * patienceMs, LONGEST_UNHEARD_MS)
      replace()
    }, patienceMs)
    endCurrent = () => {
      endCurrent = null
      current = null
      clearTimeout(unheard)
      watch.abort()
      // Half a worker is worse than none: it might go on writing what the page no longer hears of.
      worker.terminate()
      connection.end()
      onEnd()
    }
    const isCurrent = (): boolean => !watch.signal.aborted
    worker.addEventListener('error', (event) => {
      if (isCurrent()) die(event.message || 'it could not be started')
    })
    worker.addEventListener('messageerror', () => {
      if (isCurrent()) die('a message could not be read')
    })
    const lock = `flowforge-worker-${newId()}`
    const outlive = async (): Promise<void> => {
      await connection.holdLock(lock)
      if (!isCurrent()) return
      clearTimeout(unheard)
      patienceMs = unheardMs
      connection.open()
      await locks.request(lock, { signal: watch.signal }, () => undefined)
      if (isCurrent()) die('it ended by itself')
    }
    outlive().catch((thrown: unknown) => {
      if (isCurrent()) die(String(thrown))
    })
  }

  const replace = (): void => {
    endCurrent?.()
    begin()
  }

  const look = (): void => {
    const asked = current
    if (asked === null) return
    const late = setTimeout(() => {
      if (asked === current) replace()
    }, LOOK_MS)
    void asked.ping().then(() => clearTimeout(late))
  }

  begin()
  return {
    look,
    pause: () => {
      isPaused = true
      clearTimeout(timer)
      endCurrent?.()
    },
    go: () => {
      isPaused = false
      begin()
    },
    noteReady: () => {
      neverReady = 0
    }
  }
}
