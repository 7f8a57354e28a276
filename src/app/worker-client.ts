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
import { TABS_CHANNEL, isLook, type Announcement } from '../worker/tabs/messages.ts'
import { createPulse, type Pulse } from '../worker/tabs/pulse.ts'
import { createSwitchboard } from '../worker/tabs/switchboard.ts'
import type { Target } from '../worker/tabs/target.ts'
import { createCalls } from './worker-client/calls.ts'
import { DB_CALLS, FLOWFORGE_CALLS } from './worker-client/limits.ts'
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
  /** Ends the worker that does not answer, in whichever tab that is, so that another one takes over. */
  revive(): void
  liveQuery(
    query: { readonly sql: string; readonly params: readonly unknown[]; readonly restMs?: number },
    listener: (answer: LiveAnswer) => void
  ): () => void
  onProgress(listener: (progress: RunProgress) => void): () => void
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
    const held: unknown[] = [...listeners]
    pinned.add(held)
    const end = (): void => {
      if (stop === null) return
      void Promise.resolve(stop()).finally(() => pinned.delete(held))
      stop = null
    }
    start().then(
      (ended) => {
        stop = ended
        held.push(ended)
        if (isOver) end()
      },
      (thrown: unknown) => {
        pinned.delete(held)
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
    liveQuery: (query, listener) => {
      const heard = Comlink.proxy(listener)
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
  findDatabase: () => rescue.findDatabase(),
  salvage: (onProgress) => rescue.salvage(Comlink.proxy(onProgress))
})

const PULSE_MS = 5_000

type ClientOptions = {
  readonly onSleep?: typeof onPageSleep
  /** How often the worker is asked whether it still answers, in ms. */
  readonly pulseMs?: number
  /** How long a worker may take until it is heard of, in ms. */
  readonly unheardMs?: number
}

const whileSilent = ({ state }: Boot): Boot => ({ state: state === 'ready' ? 'stuck' : 'slow' })

/** Speaks with a worker that exposes `WorkerApi`, and with another one when it dies or the page has slept. */
export const createWorkerClient = (
  start: () => Worker,
  { onSleep = onPageSleep, pulseMs = PULSE_MS, unheardMs }: ClientOptions = {}
): WorkerClient => {
  keepErrorCodes()
  // A call's id may become that of an event; in the order of time they stand together in its index.
  const newId = (): string => uuidv7()
  const switchboard = createSwitchboard()
  const calls = createCalls(switchboard, newId)
  const rescue = createRescueCalls()
  const bootListeners = new Set<(boot: Boot) => void>()
  let lastBoot: Boot = { state: 'starting' }
  const tabs = new BroadcastChannel(TABS_CHANNEL)

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
    let said: Boot = lastBoot
    const heard = Comlink.proxy((boot: Boot) => {
      said = boot
      if (!isOver) tellBoot(boot)
    })
    let pulse: Pulse | null = null
    const connection = {
      heard,
      holdLock: (name: string) => remote.holdLock(name),
      ping: () => remote.ping(),
      open: () => {
        switchboard.attach(toTarget(remote))
        pulse = createPulse({
          everyMs: pulseMs,
          ask: () => void remote.ping().then(() => pulse?.heard()),
          tell: (isSilent) => {
            // What opens the storage, or rescues it, may take as long as it does.
            if (said.state === 'ready' || said.state === 'starting')
              tellBoot(isSilent ? whileSilent(said) : said)
          }
        })
      },
      end: () => {
        isOver = true
        pulse?.end()
      }
    }
    remote.onBoot(heard).catch((thrown: unknown) => console.error('The worker cannot be heard', thrown))
    return connection
  }

  const life = keepWorker({
    start,
    connect,
    newId,
    ...(unheardMs === undefined ? {} : { unheardMs }),
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

  tabs.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (isLook(data)) life.look()
  }

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
    liveQuery: (query, listener) => {
      let isOver = false
      const stop = switchboard.liveQuery({ ...query, params: [...query.params] }, (answer) => {
        if (!isOver) listener(answer)
      })
      return () => {
        isOver = true
        stop()
      }
    },
    revive: () => {
      tabs.postMessage({ type: 'look' } satisfies Announcement)
      life.look()
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
