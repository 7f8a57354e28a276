import { fromWireError } from '../../db/ports.ts'
import { createDeferred, type Deferred } from '../deferred.ts'
import { holdLock } from '../locks.ts'
import { isNewer, type Build } from './build.ts'
import { Announcement, Reply, TABS_CHANNEL, leaderName, tabName, type Request } from './messages.ts'
import { createPulse, type Pulse } from './pulse.ts'
import type { Target } from './target.ts'

type Heard = {
  readonly listener: (value: unknown) => unknown
  readonly onFailure: (thrown: unknown) => void
}
type Remote = { readonly target: Target; readonly hear: (reply: Reply) => void }

const STATUS = 'flowforge.status'
const PULSE_MS = 5_000

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
      case 'busy':
      case 'pong':
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

/** What a tab learns of the one that leads. */
export type LeaderNews =
  | { readonly type: 'leads'; readonly target: Target }
  /** It holds the lead and answers nothing any more. What it was asked stays with it. */
  | { readonly type: 'silent' }
  /** It answers again. */
  | { readonly type: 'answers' }
  /** Nobody leads until the next `leads`. */
  | { readonly type: 'gone' }
  /** Its code is another, and nothing says which is newer: the two would not understand each other. */
  | { readonly type: 'foreign' }
  /** It is older, and was asked to give way. */
  | { readonly type: 'older' }
  /** It will give way when the run has ended that is under way. */
  | { readonly type: 'busy' }
  /** It is newer than this tab. */
  | { readonly type: 'newer' }
  /** A restore replaces what it answers from; it leads again at once. */
  | { readonly type: 'replaced' }
  /** It is about to be followed by a newer one. */
  | { readonly type: 'giving-way' }

/**
 * Finds the tab that leads, now and whenever another one takes over. One that is older is asked to give way.
 *
 * @returns a function that ends it, for the tab that is about to lead itself
 */
export const joinTabs = async (args: {
  tab: string
  build: Build
  newId: () => string
  hear: (news: LeaderNews) => void
  /** How often it is asked whether it still answers, in ms. */
  pulseMs?: number
  locks?: LockManager
}): Promise<() => void> => {
  const { tab, build, newId, hear, pulseMs = PULSE_MS, locks = navigator.locks } = args
  // Held before anybody hears of this tab: the leader takes the free lock for its end.
  const goAway = await holdLock(tabName(tab), { locks })
  const ending = new AbortController()
  const common = new BroadcastChannel(TABS_CHANNEL)
  const channel = new BroadcastChannel(tabName(tab))
  let epoch: string | null = null
  let remote: Remote | null = null
  let pulse: Pulse | null = null

  const sayHello = (): void => common.postMessage({ type: 'hello', tab } satisfies Announcement)

  const tell = (news: LeaderNews): void => {
    if (news.type !== 'silent' && news.type !== 'answers') pulse?.end()
    hear(news)
  }

  /** Its lock is free when it has gone, however it ended. */
  const outlive = async (leader: string): Promise<void> => {
    const options = { mode: 'shared', signal: ending.signal } as const
    await locks.request(leaderName(leader), options, () => undefined)
    if (epoch === leader) tell({ type: 'gone' })
  }

  const welcome = (leader: Extract<Reply, { type: 'welcome' }>): void => {
    if (epoch === leader.epoch) return
    epoch = leader.epoch
    remote = null
    if (leader.build === build.code) {
      remote = openRemote(channel, epoch, newId)
      tell({ type: 'leads', target: remote.target })
      pulse = createPulse({
        everyMs: pulseMs,
        ask: () => channel.postMessage({ type: 'ping', epoch: leader.epoch } satisfies Request),
        tell: (isSilent) => hear({ type: isSilent ? 'silent' : 'answers' })
      })
    } else if (leader.order !== undefined && isNewer(leader.order, build)) {
      tell({ type: 'newer' })
    } else if (leader.order !== undefined && isNewer(build, leader.order)) {
      channel.postMessage({ type: 'give-way', epoch, to: build } satisfies Request)
      tell({ type: 'older' })
    } else {
      tell({ type: 'foreign' })
    }
    if (leader.order === undefined) return
    outlive(epoch).catch((thrown: unknown) => {
      if (!ending.signal.aborted) console.error('The tab that leads cannot be watched', thrown)
    })
  }

  common.onmessage = ({ data }: MessageEvent<unknown>): void => {
    const parsed = Announcement.safeParse(data)
    if (!parsed.success) return
    switch (parsed.data.type) {
      case 'hello':
      case 'look':
        return
      case 'leader':
        sayHello()
        return
      case 'replaced':
        tell({ type: 'replaced' })
        return
      case 'giving-way':
        if (isNewer(parsed.data.to, build)) tell({ type: 'giving-way' })
    }
  }
  channel.onmessage = ({ data }: MessageEvent<unknown>): void => {
    const parsed = Reply.safeParse(data)
    if (!parsed.success) {
      console.error('The leader said what is not understood', parsed.error)
      return
    }
    if (parsed.data.type === 'welcome') return welcome(parsed.data)
    if (parsed.data.epoch !== epoch) return
    pulse?.heard()
    if (parsed.data.type === 'busy') hear({ type: 'busy' })
    else remote?.hear(parsed.data)
  }
  sayHello()

  return () => {
    ending.abort()
    pulse?.end()
    common.close()
    channel.close()
    goAway()
  }
}
