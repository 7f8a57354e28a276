import * as Comlink from 'comlink'
import { FlowForgeError, SubscribeInput, fromWireError } from '../worker/api.ts'
import type {
  Boot,
  DbApi,
  Event,
  FlowForgeApi,
  WireError,
  Row,
  RunProgress,
  WireDbApi,
  WorkerApi
} from '../worker/api.ts'
import { fromWire, keepErrorCodes, parseInput } from '../worker/boundary.ts'

export type LiveAnswer = { rows: Row[] } | { error: { code: string; message: string } }

/** The page's side of the worker's door. Subscriptions answer at once with a function that ends them. */
export type WorkerClient = {
  readonly db: DbApi
  readonly flowforge: FlowForgeApi
  onBoot(listener: (boot: Boot) => void): void
  liveQuery(
    query: { readonly sql: string; readonly params: readonly unknown[] },
    listener: (answer: LiveAnswer) => void
  ): () => void
  onProgress(listener: (progress: RunProgress) => void): () => void
}

/** How long a call may take, in ms, before it fails with `TIMEOUT`; `null` where only the person can say what is too long. */
type Deadlines<Api> = {
  readonly [K in keyof Api]: Api[K] extends (...args: never[]) => unknown ? number | null : Deadlines<Api[K]>
}

const STORED = 60_000
const COMPUTED = 5 * 60_000

const DB_CALLS: Deadlines<WireDbApi> = {
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

const FLOWFORGE_CALLS: Deadlines<FlowForgeApi> = {
  sources: { importFile: null, preview: COMPUTED, rename: STORED, remove: STORED },
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
  runs: { start: COMPUTED, wait: null, cancel: STORED },
  artifacts: { read: COMPUTED, save: null },
  examples: { open: null },
  log: { state: STORED, verify: null },
  health: { state: STORED, check: null },
  status: STORED
}

const lost = (reason: string): FlowForgeError =>
  new FlowForgeError(
    'WORKER_LOST',
    `FlowForge's background worker stopped (${reason}). What was saved is safe; reload the page to go on.`
  )

/** Settles every call that is under way when the worker dies or its deadline passes; Comlink alone would wait for ever. */
const createPendingCalls = () => {
  const pending = new Set<(error: FlowForgeError) => void>()
  let death: FlowForgeError | null = null

  const guard = <A>(call: string, deadline: number | null, start: () => Promise<A>): Promise<A> =>
    new Promise<A>((resolve, reject) => {
      if (death !== null) return reject(death)
      const timer =
        deadline === null
          ? undefined
          : setTimeout(() => {
              fail(
                new FlowForgeError(
                  'TIMEOUT',
                  `${call} did not answer within ${deadline / 1000} s. It may still be under way; reload the page if nothing moves.`
                )
              )
            }, deadline)
      const settle = (): void => {
        clearTimeout(timer)
        pending.delete(fail)
      }
      const fail = (error: unknown): void => {
        settle()
        reject(error)
      }
      pending.add(fail)
      start().then((answer) => {
        settle()
        resolve(answer)
      }, fail)
    })

  const failAll = (error: FlowForgeError): void => {
    death = error
    for (const fail of pending) fail(error)
  }
  return { guard, failAll }
}

/** Wraps a running worker that exposes `WorkerApi`. */
export const createWorkerClient = (worker: Worker): WorkerClient => {
  keepErrorCodes()
  const remote = Comlink.wrap<WorkerApi>(worker)
  const calls = createPendingCalls()
  const bootListeners = new Set<(boot: Boot) => void>()
  // Comlink closes the channel of a proxy that is collected: whatever it may still have to carry is held here.
  const pinned = new Set<unknown>([remote])

  const die = (reason: string): void => {
    const error = lost(reason)
    // Half a worker is worse than none: it might go on writing what the page no longer hears of.
    worker.terminate()
    calls.failAll(error)
    for (const tell of bootListeners) tell({ state: 'failed', code: error.code, message: error.message })
  }
  worker.addEventListener('error', (event) => die(event.message || 'it could not be started'))
  worker.addEventListener('messageerror', () => die('a message could not be read'))

  /** Builds an object with the calls that `deadlines` names, so that the console can list and complete them. */
  const build = <Api extends object>(deadlines: Deadlines<Api>, path: readonly string[]): Api => {
    const built: Record<string, unknown> = {}
    for (const [name, deadline] of Object.entries<unknown>(deadlines)) {
      if (typeof deadline === 'object' && deadline !== null) {
        built[name] = build(deadline, [...path, name])
        continue
      }
      const call = [...path, name]
      const limit = typeof deadline === 'number' ? deadline : null
      built[name] = (...args: unknown[]) =>
        calls.guard(call.join('.'), limit, () => {
          // Comlink's proxy has whatever property it is asked for; `Deadlines` is what ties the names to the API.
          const target = call.reduce<unknown>((at, key) => Reflect.get(Object(at), key), remote)
          return (target as (...given: unknown[]) => Promise<unknown>)(...args)
        })
    }
    return built as Api
  }

  /** A subscription whose end may be asked for before its start was answered. */
  const subscribe = (
    start: () => Promise<() => unknown>,
    listener: object,
    onFailure: (error: unknown) => void
  ) => {
    let isOver = false
    let stop: (() => unknown) | null = null
    pinned.add(listener)
    const end = (): void => {
      if (stop === null) return
      void Promise.resolve(stop())
        // The worker is gone, and with it the subscription.
        .catch(() => undefined)
        .finally(() => pinned.delete(listener))
      stop = null
    }
    calls
      .guard('subscribe', null, start)
      .then((ended) => {
        stop = ended
        if (isOver) end()
      })
      .catch((error: unknown) => {
        pinned.delete(listener)
        if (!isOver) onFailure(error)
      })
    return (): void => {
      isOver = true
      end()
    }
  }

  const followLog: DbApi['subscribe'] = ({ listener, ...args }, given = listener) => {
    const query = parseInput('subscribe', SubscribeInput, args)
    if (typeof given !== 'function') {
      throw new FlowForgeError('INVALID_INPUT', 'subscribe: give it a listener, a function of one event.')
    }
    let isOver = false
    const heard = Comlink.proxy(async (events: readonly Event[]) => {
      for (const event of events) {
        if (isOver) return
        // oxlint-disable-next-line no-await-in-loop -- one after the other is what a subscription is
        await given(event)
      }
    })
    const failed = Comlink.proxy((wire: WireError) => reportError(fromWireError(wire)))
    const stop = subscribe(() => remote.subscribe(query, heard, failed), [heard, failed], reportError)
    return () => {
      isOver = true
      stop()
    }
  }

  return {
    db: { ...fromWire(build<WireDbApi>(DB_CALLS, ['db'])), subscribe: followLog },
    flowforge: build<FlowForgeApi>(FLOWFORGE_CALLS, ['flowforge']),
    onBoot: (listener) => {
      bootListeners.add(listener)
      const proxied = Comlink.proxy(listener)
      pinned.add(proxied)
      calls
        .guard('onBoot', null, () => remote.onBoot(proxied))
        .catch((error: unknown) => {
          if (error instanceof FlowForgeError)
            listener({ state: 'failed', code: error.code, message: error.message })
          else throw error
        })
    },
    liveQuery: ({ sql, params }, listener) => {
      let isOver = false
      const proxied = Comlink.proxy((answer: LiveAnswer) => {
        if (!isOver) listener(answer)
      })
      const stop = subscribe(
        () => remote.liveQuery({ sql, params: [...params] }, proxied),
        proxied,
        (error) => {
          const { code, message } = error instanceof FlowForgeError ? error : lost(String(error))
          listener({ error: { code, message } })
        }
      )
      return () => {
        isOver = true
        stop()
      }
    },
    onProgress: (listener) => {
      const proxied = Comlink.proxy(listener)
      return subscribe(
        () => remote.onProgress(proxied),
        proxied,
        (error) => console.error('Progress of runs cannot be followed', error)
      )
    }
  }
}

/** Starts FlowForge's worker. */
export const startWorker = (): WorkerClient =>
  createWorkerClient(
    new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module', name: 'flowforge' })
  )
