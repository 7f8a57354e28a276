import { v7 as uuidv7 } from 'uuid'
import * as Comlink from 'comlink'
import { FlowForgeError, SubscribeInput, fromWireError } from '../worker/api.ts'
import type {
  Boot,
  DbApi,
  FlowForgeApi,
  LogBatch,
  RescueApi,
  Row,
  RunProgress,
  WireDbApi,
  WireError,
  WorkerApi
} from '../worker/api.ts'
import { fromWire, keepErrorCodes, parseInput } from '../worker/boundary.ts'
import { createSwitchboard } from '../worker/tabs/switchboard.ts'
import type { Target } from '../worker/tabs/target.ts'
import { createCalls, type Limits } from './worker-client/calls.ts'
import { onPageSleep } from './worker-client/page-sleep.ts'
import { createRescueCalls } from './worker-client/rescue-calls.ts'
import { takeRescueRequest } from './worker-client/rescue-request.ts'
import { keepWorker, type Connection } from './worker-client/worker-life.ts'

export type LiveAnswer = { rows: Row[] } | { error: { code: string; message: string } }

/**
 * The page's side of the worker's door. What is unanswered and what is followed is kept here and goes on with the next
 * worker when one dies. Subscriptions answer at once with a function that ends them.
 */
export type WorkerClient = {
  readonly db: DbApi
  readonly flowforge: FlowForgeApi
  /** What can be done while the storage does not open. Without deadlines: files may be of any size. */
  readonly rescue: RescueApi
  onBoot(listener: (boot: Boot) => void): void
  liveQuery(
    query: { readonly sql: string; readonly params: readonly unknown[] },
    listener: (answer: LiveAnswer) => void
  ): () => void
  onProgress(listener: (progress: RunProgress) => void): () => void
}

const STORED = 60_000
const COMPUTED = 5 * 60_000

const DB_CALLS: Limits<WireDbApi> = {
  appendEvent: STORED,
  appendEvents: STORED,
  loadEvents: STORED,
  readAll: STORED,
  latestSnapshot: STORED,
  saveSnapshot: STORED,
  queryProjection: STORED,
  upsertProjection: STORED,
  truncateProjection: STORED,
  putBlob: null,
  getBlob: COMPUTED,
  statBlob: STORED
}

const FLOWFORGE_CALLS: Limits<FlowForgeApi> = {
  sources: {
    importFile: null,
    fetchHttp: null,
    refresh: null,
    tryHttp: null,
    createManual: COMPUTED,
    editManual: COMPUTED,
    readManual: STORED,
    preview: COMPUTED,
    inferSchema: COMPUTED,
    profile: null,
    rename: STORED,
    remove: STORED
  },
  workflows: {
    import: COMPUTED,
    export: STORED,
    publish: COMPUTED,
    create: STORED,
    get: STORED,
    edit: STORED,
    undo: STORED,
    redo: STORED,
    describe: STORED,
    remove: STORED,
    check: COMPUTED,
    preview: COMPUTED
  },
  runs: {
    start: COMPUTED,
    wait: null,
    cancel: STORED,
    resume: COMPUTED,
    retry: COMPUTED,
    verify: COMPUTED,
    verification: null
  },
  requests: { list: STORED, read: STORED, har: COMPUTED, unknown: STORED, decide: STORED },
  explain: { cell: COMPUTED, missing: COMPUTED },
  lineage: { openLineage: STORED },
  artifacts: { read: COMPUTED, save: null, profile: null },
  replicas: { rebuild: COMPUTED, check: COMPUTED },
  projections: {
    list: STORED,
    pause: STORED,
    resume: STORED,
    retry: STORED,
    skip: STORED,
    rebuild: null
  },
  history: { stateAt: COMPUTED },
  catalog: {
    create: STORED,
    edit: STORED,
    undo: STORED,
    redo: STORED,
    discard: STORED,
    publish: STORED,
    rename: STORED,
    describe: STORED,
    remove: STORED,
    get: STORED,
    list: STORED,
    whereUsed: STORED,
    whatIf: COMPUTED
  },
  examples: { open: null },
  log: { state: STORED, verify: null },
  health: { state: STORED, check: null },
  backup: {
    create: null,
    restore: null,
    inspect: null,
    discard: null,
    undoRestore: null,
    cancel: STORED,
    status: STORED,
    saveKept: null,
    removeKept: STORED,
    setSchedule: STORED,
    removeSchedule: STORED,
    createScheduled: null,
    folder: STORED,
    inspectLatest: null
  },
  archive: {
    preview: STORED,
    create: null,
    list: STORED,
    verify: null,
    restore: null,
    folders: STORED,
    connect: STORED
  },
  status: STORED
}

/** A running worker as a target. Comlink closes the channel of a proxy that is collected: each is held while it is needed. */
const toTarget = (remote: Comlink.Remote<WorkerApi>): Target => {
  const pinned = new Set<unknown>()

  /** Follows something whose end may be asked for before its start was answered. */
  const follow = (
    listeners: readonly unknown[],
    start: () => Promise<() => unknown>,
    onFailure: (thrown: unknown) => void
  ): (() => void) => {
    let isOver = false
    let stop: (() => unknown) | null = null
    pinned.add(listeners)
    const end = (): void => {
      if (stop === null) return
      void Promise.resolve(stop()).finally(() => pinned.delete(listeners))
      stop = null
    }
    start().then(
      (ended) => {
        stop = ended
        if (isOver) end()
      },
      (thrown: unknown) => {
        pinned.delete(listeners)
        if (!isOver) onFailure(thrown)
      }
    )
    return () => {
      isOver = true
      end()
    }
  }

  return {
    call: (call, wasSent) => remote.call({ ...call, path: [...call.path] }, wasSent),
    forget: (id) => void remote.forget(id),
    liveQuery: ({ sql, params }, listener) => {
      const heard = Comlink.proxy(listener)
      const query = params === undefined ? { sql } : { sql, params }
      return follow(
        [heard],
        () => remote.liveQuery(query, heard),
        (thrown) => {
          if (!(thrown instanceof FlowForgeError)) throw thrown
          listener({ error: { code: thrown.code, message: thrown.message } })
        }
      )
    },
    subscribe: (args, listener, onFailure) => {
      const heard = Comlink.proxy((batch: LogBatch) => listener(batch))
      const failed = Comlink.proxy((wire: WireError) => onFailure(fromWireError(wire)))
      return follow([heard, failed], () => remote.subscribe(args, heard, failed), onFailure)
    },
    onProgress: (listener) => {
      const heard = Comlink.proxy(listener)
      return follow(
        [heard],
        () => remote.onProgress(heard),
        (thrown) => console.error('Progress of runs cannot be followed', thrown)
      )
    }
  }
}

const toRescue = ({ rescue }: Comlink.Remote<WorkerApi>): RescueApi => ({
  copies: () => rescue.copies(),
  save: (args) => rescue.save(args),
  restore: (args) => rescue.restore(args),
  salvage: (onProgress) => rescue.salvage(Comlink.proxy(onProgress))
})

/** Speaks with a worker that exposes `WorkerApi`, and with another one when it dies or the page has slept. */
export const createWorkerClient = (start: () => Worker, onSleep = onPageSleep): WorkerClient => {
  keepErrorCodes()
  // A call's id may become that of an event; in the order of time they stand together in its index.
  const newId = (): string => uuidv7()
  const switchboard = createSwitchboard()
  const calls = createCalls(switchboard, newId)
  const rescue = createRescueCalls()
  const bootListeners = new Set<(boot: Boot) => void>()
  let lastBoot: Boot = { state: 'starting' }

  const tellBoot = (boot: Boot): void => {
    lastBoot = boot
    if (boot.state === 'ready') life.noteReady()
    for (const tell of bootListeners) tell(boot)
  }

  const connect = (worker: Worker): Connection => {
    let isOver = false
    const remote = Comlink.wrap<WorkerApi>(worker)
    // It may be needed before the worker's end can be noticed: a storage that does not open says so at once.
    rescue.attach(toRescue(remote))
    const heard = Comlink.proxy((boot: Boot) => {
      if (!isOver) tellBoot(boot)
    })
    const connection = {
      heard,
      holdLock: (name: string) => remote.holdLock(name),
      open: () => switchboard.attach(toTarget(remote)),
      end: () => {
        isOver = true
      }
    }
    remote.onBoot(heard).catch((thrown: unknown) => console.error('The worker cannot be heard', thrown))
    return connection
  }

  const life = keepWorker({
    start,
    connect,
    newId,
    onEnd: () => {
      switchboard.detach()
      rescue.detach()
      tellBoot({ state: 'starting' })
    },
    onGiveUp: (error) => {
      switchboard.refuse(error)
      tellBoot({ state: 'failed', code: error.code, message: error.message })
    }
  })
  onSleep({
    sleep: () => {
      calls.pause()
      life.pause()
    },
    wake: () => {
      calls.go()
      life.go()
    }
  })

  const followLog: DbApi['subscribe'] = (
    { listener, onFailure = reportError, ...args },
    given = listener
  ) => {
    const query = parseInput('subscribe', SubscribeInput, args)
    if (typeof given !== 'function') {
      throw new FlowForgeError('INVALID_INPUT', 'subscribe: give it a listener, a function of one event.')
    }
    let isOver = false
    const hear = async ({ events }: LogBatch): Promise<void> => {
      for (const event of events) {
        if (isOver) return
        // oxlint-disable-next-line no-await-in-loop -- one after the other is what a subscription is
        await given(event)
      }
    }
    const stop = switchboard.subscribe(query, hear, onFailure)
    return () => {
      isOver = true
      stop()
    }
  }

  return {
    db: { ...fromWire(calls.build<WireDbApi>(DB_CALLS, ['db'])), subscribe: followLog },
    flowforge: calls.build<FlowForgeApi>(FLOWFORGE_CALLS, ['flowforge']),
    rescue: rescue.api,
    onBoot: (listener) => {
      bootListeners.add(listener)
      listener(lastBoot)
    },
    liveQuery: ({ sql, params }, listener) => {
      let isOver = false
      const stop = switchboard.liveQuery({ sql, params: [...params] }, (answer) => {
        if (!isOver) listener(answer)
      })
      return () => {
        isOver = true
        stop()
      }
    },
    onProgress: switchboard.onProgress
  }
}

/** Starts FlowForge's worker; one that leaves the storage closed where a rescue was asked for. */
export const startWorker = (): WorkerClient =>
  // Vite reads the options from the text, so that both are written out. The name is `RESCUE_WORKER`.
  createWorkerClient(
    takeRescueRequest()
      ? () =>
          new Worker(new URL('../worker/main.ts', import.meta.url), {
            type: 'module',
            name: 'flowforge-rescue'
          })
      : () => new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module', name: 'flowforge' })
  )
