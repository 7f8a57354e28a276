import { toWireError } from '../../db/ports.ts'
import { SubscribeInput, LiveQueryInput } from '../api.ts'
import { parseInput } from '../boundary.ts'
import { createDeferred } from '../deferred.ts'
import type { Build } from './build.ts'
import { Announcement, Request, TABS_CHANNEL, tabName, type Reply } from './messages.ts'
import type { Target } from './target.ts'

type Ends = { readonly stop: () => void; readonly heard: () => void }

type Serving = {
  /** What is asked from here on is left to the next leader. */
  readonly close: () => void
  readonly end: () => void
}

/** Serves one tab over its own channel until it is ended. */
const serveTab = (
  channel: BroadcastChannel,
  target: Target,
  epoch: string,
  giveWay: (to: Build) => { readonly isBusy: boolean }
): Serving => {
  const followed = new Map<string, Ends>()
  let isOver = false

  const reply = (message: Reply): void => {
    if (!isOver) channel.postMessage(message)
  }

  const answer = async ({ id, path, args }: Extract<Request, { type: 'call' }>): Promise<void> => {
    try {
      reply({ type: 'answer', epoch, id, value: await target.call({ id, path, args }, true) })
    } catch (thrown) {
      reply({ type: 'refusal', epoch, id, error: toWireError(thrown) })
    }
  }

  const follow = ({ id, what, args }: Extract<Request, { type: 'follow' }>): void => {
    let settled = createDeferred<void>()
    /** Tells the tab, and waits until its listener has settled. */
    const tell = (value: unknown): Promise<void> => {
      settled = createDeferred<void>()
      reply({ type: 'told', epoch, id, value })
      return settled.promise
    }
    const fail = (thrown: unknown): void => {
      followed.delete(id)
      reply({ type: 'failed', epoch, id, error: toWireError(thrown) })
    }
    const start = (): (() => void) => {
      switch (what) {
        case 'rows':
          return target.liveQuery(parseInput('liveQuery', LiveQueryInput, args), tell)
        case 'log':
          return target.subscribe(parseInput('subscribe', SubscribeInput, args), tell, fail)
        case 'progress':
          return target.onProgress(tell)
      }
    }
    try {
      followed.set(id, { stop: start(), heard: () => settled.resolve() })
    } catch (thrown) {
      fail(thrown)
    }
  }

  channel.onmessage = ({ data }: MessageEvent<unknown>): void => {
    const parsed = Request.safeParse(data)
    if (!parsed.success) {
      console.error('A tab asked what is not understood', parsed.error)
      return
    }
    // Meant for a leader before: it is sent again to this one.
    if (parsed.data.epoch !== epoch) return
    const request = parsed.data
    switch (request.type) {
      case 'call':
        void answer(request)
        return
      case 'follow':
        follow(request)
        return
      case 'heard':
        followed.get(request.id)?.heard()
        return
      case 'unfollow':
        followed.get(request.id)?.stop()
        followed.delete(request.id)
        return
      case 'ping':
        reply({ type: 'pong', epoch })
        return
      case 'give-way':
        if (giveWay(request.to).isBusy) reply({ type: 'busy', epoch })
    }
  }
  return {
    close: () => {
      channel.onmessage = null
    },
    end: () => {
      isOver = true
      channel.close()
      for (const { stop } of followed.values()) stop()
    }
  }
}

export type Host = {
  /** Takes no more; what was asked before is still answered. */
  close(to: Build): void
  /** Another history takes the place of this one: screens are to be drawn anew. */
  replaced(): void
  /** What is unanswered now stays so. */
  end(): void
}

/**
 * Lets other tabs work through this worker's program. Each is served until it has gone, which its lock tells however it
 * ended.
 *
 * @param epoch names this leader; unique
 * @param giveWay a newer build asks for the lead; the answer says whether it has to wait
 */
export const hostTabs = (args: {
  target: Target
  epoch: string
  build: Build
  giveWay: (to: Build) => { readonly isBusy: boolean }
  locks?: LockManager
}): Host => {
  const { target, epoch, build, giveWay, locks = navigator.locks } = args
  const common = new BroadcastChannel(TABS_CHANNEL)
  const served = new Map<string, Serving>()
  const waiting = new AbortController()

  const serve = (tab: string): void => {
    const channel = new BroadcastChannel(tabName(tab))
    served.set(tab, serveTab(channel, target, epoch, giveWay))
    channel.postMessage({ type: 'welcome', epoch, build: build.code, order: build } satisfies Reply)
    const forget = (): void => {
      served.get(tab)?.end()
      served.delete(tab)
    }
    // Granted when the tab has let go of it: it has gone, or leads by now.
    locks.request(tabName(tab), { signal: waiting.signal }, forget).catch((thrown: unknown) => {
      if (!waiting.signal.aborted) throw thrown
    })
  }

  common.onmessage = ({ data }: MessageEvent<unknown>): void => {
    const parsed = Announcement.safeParse(data)
    if (parsed.success && parsed.data.type === 'hello' && !served.has(parsed.data.tab)) serve(parsed.data.tab)
  }
  common.postMessage({ type: 'leader' } satisfies Announcement)

  return {
    close: (to) => {
      common.onmessage = null
      common.postMessage({ type: 'giving-way', to } satisfies Announcement)
      for (const { close } of served.values()) close()
    },
    replaced: () => common.postMessage({ type: 'replaced' } satisfies Announcement),
    end: () => {
      waiting.abort()
      common.close()
      for (const { end } of served.values()) end()
    }
  }
}
