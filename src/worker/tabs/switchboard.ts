import type { FlowForgeError } from '../../db/ports.ts'
import type { LogBatch, RunProgress } from '../api.ts'
import type { LiveAnswer } from '../live-queries.ts'
import type { SubscriptionArgs } from '../subscriptions.ts'
import type { Call, LiveQuery, Target } from './target.ts'

/**
 * Connects who asks with whatever answers now, and keeps what is unanswered for whatever answers next. The page has one
 * before its worker, which may die and be replaced; each worker has one before the program that leads.
 */
export type Switchboard = Target & {
  /** From here on this target answers. What is unanswered is sent to it, in the order in which it came. */
  attach(target: Target): void
  /** Nobody answers until the next target: calls wait. */
  detach(): void
  /** Nobody will answer: calls fail with this until a target comes after all. */
  refuse(error: FlowForgeError): void
}

type Waiting = {
  readonly call: Call
  /** To somebody who may have carried it out. */
  wasSent: boolean
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}
type Following = {
  readonly start: (target: Target) => () => void
  readonly refuse: (error: FlowForgeError) => void
  stop: () => void
}

const nothing = (): void => undefined

export const createSwitchboard = (): Switchboard => {
  const waiting = new Map<string, Waiting>()
  const followings = new Set<Following>()
  let target: Target | null = null
  let refusal: FlowForgeError | null = null

  const send = (to: Target, each: Waiting): void => {
    const { call, wasSent, resolve, reject } = each
    each.wasSent = true
    to.call(call, wasSent)
      .then(resolve, reject)
      .finally(() => waiting.delete(call.id))
  }

  const follow = (start: Following['start'], refuse: Following['refuse']): Following => {
    const following = { start, refuse, stop: nothing }
    followings.add(following)
    if (target !== null) following.stop = start(target)
    return following
  }

  const end = (following: Following): void => {
    followings.delete(following)
    following.stop()
  }

  const detach = (): void => {
    target = null
    for (const following of followings) {
      following.stop()
      following.stop = nothing
    }
  }

  const followFrom = (
    args: SubscriptionArgs,
    listener: (batch: LogBatch) => unknown,
    onFailure: (thrown: unknown) => void
  ): (() => void) => {
    let { afterPosition: position, generation } = args
    /** What the listener is busy with; a next target must not begin before it is known to have been heard. */
    let handling: Promise<unknown> = Promise.resolve()

    const hear = async (batch: LogBatch): Promise<void> => {
      try {
        await listener(batch)
        position = batch.position
        generation = batch.generation
      } catch (thrown) {
        // Whoever answers may be gone before it hears of this: the next must not begin again.
        fail(thrown)
        throw thrown
      }
    }
    const fail = (thrown: unknown): void => {
      followings.delete(following)
      following.stop()
      onFailure(thrown)
    }
    const start = (from: Target): (() => void) => {
      let isOver = false
      let stop = nothing
      const begin = (): void => {
        if (isOver) return
        stop = from.subscribe(
          { ...args, afterPosition: position, generation },
          (batch) => {
            // What is still on its way from one that has gone comes again from the next.
            if (isOver) return undefined
            const heard = hear(batch)
            handling = heard.catch(nothing)
            return heard
          },
          (thrown) => {
            if (!isOver) fail(thrown)
          }
        )
      }
      void handling.then(begin)
      return () => {
        isOver = true
        stop()
      }
    }
    const following = follow(start, fail)
    if (refusal !== null) fail(refusal)
    return () => end(following)
  }

  return {
    attach: (next) => {
      detach()
      refusal = null
      target = next
      for (const each of waiting.values()) send(next, each)
      for (const following of followings) following.stop = following.start(next)
    },
    detach,
    refuse: (error) => {
      detach()
      refusal = error
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
      for (const following of followings) following.refuse(error)
    },
    call: (call, wasSent) =>
      new Promise((resolve, reject) => {
        if (refusal !== null) return reject(refusal)
        const each = { call, wasSent, resolve, reject }
        waiting.set(call.id, each)
        if (target !== null) send(target, each)
      }),
    forget: (id) => {
      waiting.delete(id)
      target?.forget(id)
    },
    liveQuery: (query: LiveQuery, listener: (answer: LiveAnswer) => unknown) => {
      const tellRefusal = ({ code, message }: FlowForgeError): void =>
        void listener({ error: { code, message } })
      const following = follow((from) => from.liveQuery(query, listener), tellRefusal)
      if (refusal !== null) tellRefusal(refusal)
      return () => end(following)
    },
    subscribe: followFrom,
    onProgress: (listener: (progress: RunProgress) => unknown) => {
      const following = follow((from) => from.onProgress(listener), nothing)
      return () => end(following)
    }
  }
}
