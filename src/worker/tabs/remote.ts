import { fromWireError } from '../../db/ports.ts'
import { createDeferred, type Deferred } from '../deferred.ts'
import { Announcement, Reply, TABS_CHANNEL, tabName, type Request } from './messages.ts'
import type { Target } from './target.ts'

type Heard = {
  readonly listener: (value: unknown) => unknown
  readonly onFailure: (thrown: unknown) => void
}
type Remote = { readonly target: Target; readonly hear: (reply: Reply) => void }

const STATUS = 'flowforge.status'

/** The program of the tab that leads, as a target. What it does not answer before another leader comes, never settles. */
const openRemote = (channel: BroadcastChannel, epoch: string, newId: () => string): Remote => {
  const calls = new Map<string, Deferred<unknown>>()
  const followed = new Map<string, Heard>()
  const ask = (request: Request): void => channel.postMessage(request)

  const follow = (
    what: 'rows' | 'log' | 'progress',
    args: unknown,
    listener: Heard['listener'],
    onFailure: Heard['onFailure']
  ): (() => void) => {
    const id = newId()
    followed.set(id, { listener, onFailure })
    ask({ type: 'follow', epoch, id, what, args })
    return () => {
      if (followed.delete(id)) ask({ type: 'unfollow', epoch, id })
    }
  }

  const tell = async (id: string, value: unknown): Promise<void> => {
    const heard = followed.get(id)
    if (heard === undefined) return
    try {
      await heard.listener(value)
      if (followed.has(id)) ask({ type: 'heard', epoch, id })
    } catch (thrown) {
      if (!followed.delete(id)) return
      ask({ type: 'unfollow', epoch, id })
      heard.onFailure(thrown)
    }
  }

  const settle = (id: string, use: (call: Deferred<unknown>) => void): void => {
    const call = calls.get(id)
    calls.delete(id)
    if (call !== undefined) use(call)
  }

  const hear = (reply: Reply): void => {
    switch (reply.type) {
      case 'welcome':
        return
      case 'answer':
        settle(reply.id, (call) => call.resolve(reply.value))
        return
      case 'refusal':
        settle(reply.id, (call) => call.reject(fromWireError(reply.error)))
        return
      case 'told':
        void tell(reply.id, reply.value)
        return
      case 'failed': {
        const heard = followed.get(reply.id)
        followed.delete(reply.id)
        heard?.onFailure(fromWireError(reply.error))
      }
    }
  }

  // What a listener is told comes from the same build's program, as every answer does that crosses to the page.
  const asListener = <T>(listener: (value: T) => unknown): Heard['listener'] => listener as Heard['listener']
  const unheard = (thrown: unknown): void => console.error('A listener failed', thrown)

  const call: Target['call'] = async ({ id, path, args }) => {
    const answered = createDeferred<unknown>()
    calls.set(id, answered)
    ask({ type: 'call', epoch, id, path: [...path], args })
    const answer = await answered.promise
    // The one fact that differs with the tab that asks for it.
    return path.join('.') === STATUS ? { ...Object(answer), role: 'follower' } : answer
  }

  return {
    hear,
    target: {
      call,
      forget: (id) => void calls.delete(id),
      liveQuery: (query, listener) => follow('rows', query, asListener(listener), unheard),
      subscribe: (args, listener, onFailure) => follow('log', args, asListener(listener), onFailure),
      onProgress: (listener) => follow('progress', null, asListener(listener), unheard)
    }
  }
}

/**
 * Finds the tab that leads, now and whenever another one takes over.
 *
 * @param onForeign told of a leader whose code is another build: the two would not understand each other
 * @returns a function that ends it, for the tab that is about to lead itself
 */
export const joinTabs = async (args: {
  tab: string
  build: string
  newId: () => string
  onLeader: (target: Target) => void
  onForeign: () => void
  locks?: LockManager
}): Promise<() => void> => {
  const { tab, build, newId, onLeader, onForeign, locks = navigator.locks } = args
  const gone = createDeferred<void>()
  const alive = createDeferred<void>()
  // Held before anybody hears of this tab: the leader takes the free lock for its end.
  locks
    .request(tabName(tab), () => {
      alive.resolve()
      return gone.promise
    })
    .catch(alive.reject)
  await alive.promise

  const common = new BroadcastChannel(TABS_CHANNEL)
  const channel = new BroadcastChannel(tabName(tab))
  let current: { readonly epoch: string; readonly remote: Remote } | null = null

  const sayHello = (): void => common.postMessage({ type: 'hello', tab } satisfies Announcement)
  const welcome = (epoch: string, leaderBuild: string): void => {
    if (leaderBuild !== build) return onForeign()
    if (current?.epoch === epoch) return
    const remote = openRemote(channel, epoch, newId)
    current = { epoch, remote }
    onLeader(remote.target)
  }

  common.onmessage = ({ data }: MessageEvent<unknown>): void => {
    const parsed = Announcement.safeParse(data)
    if (parsed.success && parsed.data.type === 'leader') sayHello()
  }
  channel.onmessage = ({ data }: MessageEvent<unknown>): void => {
    const parsed = Reply.safeParse(data)
    if (!parsed.success) {
      console.error('The leader said what is not understood', parsed.error)
      return
    }
    if (parsed.data.type === 'welcome') welcome(parsed.data.epoch, parsed.data.build)
    else if (parsed.data.epoch === current?.epoch) current.remote.hear(parsed.data)
  }
  sayHello()

  return () => {
    common.close()
    channel.close()
    gone.resolve()
  }
}
