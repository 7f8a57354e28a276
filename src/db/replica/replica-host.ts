import { FlowForgeError, fromWireError, isFlowForgeError } from '../flowforge-error.ts'
import type { ReplicaKind, ReplicaPieces, ReplicaPort, ReplicaStatus } from '../replica-port.ts'
import { REPLICA_KINDS } from '../replica-port.ts'
import { toBound } from '../sqlite/row-writing.ts'
import type { ReplicaFeed } from '../sqlite/replica-feed.ts'
import type { FeedMessage, FromReplica, Question, ReplicaChannel } from './messages.ts'

export type StartFeed = (
  send: (message: FeedMessage, transfer?: Transferable[]) => void,
  fail: (thrown: unknown) => void
) => ReplicaFeed

type Answer = Extract<FromReplica, { type: 'answer' | 'counts' }>
type Waiting = { readonly resolve: (answer: Answer) => void; readonly reject: (reason: unknown) => void }

type Running = {
  readonly feed: ReplicaFeed
  readonly built: Promise<void>
  ask(question: (id: number) => Question, timeoutMs: number): Promise<Answer>
  drop(reason: unknown): void
  at(): { position: number; isBuilt: boolean }
}

const DEFAULT_TIMEOUT_MS = 30_000
/** How much longer than its limit a question may take before its worker is ended: one step may not be interruptible. */
const GRACE_MS = 2_000

const lost = (cause: unknown): FlowForgeError =>
  new FlowForgeError('WORKER_LOST', 'The replica was dropped. Ask again: it is built anew.', {}, cause)

/** It has not been begun: whoever is being answered, within a limit of his own, is left alone. */
const behindOthers = (timeoutMs: number): FlowForgeError => {
  const message = `This query was not begun within ${timeoutMs} ms: the replica is busy with others. Ask again in a while.`
  return new FlowForgeError('TIMEOUT', message, { timeoutMs })
}

const startRunning = (channel: ReplicaChannel, startFeed: StartFeed, onDrop: () => void): Running => {
  const waiting = new Map<number, Waiting>()
  let ids = 0
  let at = { position: 0, isBuilt: false }
  let becomeBuilt = (): void => undefined
  let failBuild = (_reason: unknown): void => undefined
  const built = new Promise<void>((resolve, reject) => {
    becomeBuilt = resolve
    failBuild = reject
  })
  // Nobody need be waiting for it.
  built.catch(() => undefined)

  let isDropped = false
  const drop = (reason: unknown): void => {
    if (isDropped) return
    isDropped = true
    feed.stop()
    channel.end()
    const error = lost(reason)
    failBuild(error)
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    onDrop()
  }

  const hear = (message: FromReplica): void => {
    switch (message.type) {
      case 'at':
        at = message
        if (message.isBuilt) becomeBuilt()
        return
      case 'answer':
      case 'counts':
        waiting.get(message.id)?.resolve(message)
        waiting.delete(message.id)
        return
      case 'refusal':
        waiting.get(message.id)?.reject(fromWireError(message.error))
        waiting.delete(message.id)
        return
      case 'lost':
        console.warn('A replica could not follow and is dropped', message.error)
        drop(fromWireError(message.error))
    }
  }

  const start = (): ReplicaFeed => {
    try {
      return startFeed((message, transfer) => channel.post(message, transfer), drop)
    } catch (thrown) {
      // Nobody knows of it yet, and nobody else would end its worker.
      channel.end()
      throw thrown
    }
  }

  channel.listen(hear, (reason) => drop(new Error(reason)))
  const feed = start()

  return {
    feed,
    built,
    drop,
    at: () => at,
    ask: (question, timeoutMs) =>
      new Promise((resolve, reject) => {
        if (isDropped) return reject(lost('It could not follow.'))
        const id = (ids += 1)
        const timer = setTimeout(() => {
          const [oldest] = waiting.keys()
          waiting.delete(id)
          if (oldest !== id) return reject(behindOthers(timeoutMs))
          const message = `This query was ended after ${timeoutMs} ms, and the replica with it. Make it narrower.`
          reject(new FlowForgeError('TIMEOUT', message, { timeoutMs }))
          drop(message)
        }, timeoutMs + GRACE_MS)
        const done = (): void => clearTimeout(timer)
        waiting.set(id, {
          resolve: (answer) => {
            done()
            resolve(answer)
          },
          reject: (reason) => {
            done()
            reject(reason)
          }
        })
        channel.post(question(id))
      })
  }
}

/** Waits so long and no longer; what is waited for goes on. */
const within = async <T>(work: Promise<T>, ms: number, message: string): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new FlowForgeError('TIMEOUT', message, { timeoutMs: ms })), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export type Replicas = ReplicaPort & { close(): void }

/** Keeps the replicas of one database: started by the first question, dropped when they cannot follow, built anew by the next. */
export const createReplicas = (parts: {
  startFeed: StartFeed
  open: Readonly<Record<ReplicaKind, () => ReplicaChannel>>
  /** Answers when the log has reached the position, or throws after so many ms. */
  waitFor: (position: number, timeoutMs: number) => Promise<void>
  logPosition: () => number
}): Replicas => {
  const { startFeed, open, waitFor, logPosition } = parts
  const running = new Map<ReplicaKind, Running>()

  const start = (replica: ReplicaKind): Running => {
    const known = running.get(replica)
    if (known !== undefined) return known
    const made = startRunning(open[replica](), startFeed, () => {
      if (running.get(replica) === made) running.delete(replica)
    })
    running.set(replica, made)
    return made
  }

  const status = (replica: ReplicaKind): ReplicaStatus => {
    const found = running.get(replica)
    if (found === undefined) return { replica, state: 'off', behind: 0 }
    const { position, isBuilt } = found.at()
    return {
      replica,
      state: isBuilt ? 'following' : 'building',
      behind: Math.max(0, logPosition() - position)
    }
  }

  /** What is told now is told before the question that comes next: the replica has read it when it answers. */
  const following = async (replica: ReplicaKind): Promise<Running> => {
    const found = start(replica)
    await found.built
    await found.feed.flush()
    return found
  }

  const readPieces = async (args: Parameters<ReplicaPort['read']>[0]): Promise<ReplicaPieces> => {
    const { replica, sql, params = [], minPosition = 0, timeoutMs = DEFAULT_TIMEOUT_MS } = args
    const bound = params.map((param) => toBound(param, 'A parameter'))
    const until = performance.now() + timeoutMs
    await waitFor(minPosition, timeoutMs)
    const once = async (): Promise<Answer> => {
      const message = `The ${replica} replica is not ready yet: it is still being built, or a transaction holds it up. Ask again in a while, or without \`replica\`.`
      const found = await within(following(replica), Math.max(1, until - performance.now()), message)
      const left = Math.max(1, until - performance.now())
      return found.ask((id) => ({ type: 'read', id, sql, params: bound, timeoutMs: left }), left)
    }
    // One that turns out not to follow is dropped; the next is built for the same question, once.
    const answer = await once().catch((thrown: unknown) => {
      if (isFlowForgeError(thrown) && (thrown.code === 'WORKER_LOST' || thrown.code === 'CORRUPT'))
        return once()
      throw thrown
    })
    return answer.type === 'answer' ? answer.pieces : []
  }

  return {
    read: readPieces,
    rebuild: async ({ replica }) => {
      running.get(replica)?.drop('It is built anew.')
      await start(replica).built
    },
    check: async ({ replica }) => {
      const found = start(replica)
      await found.built
      const { expected, answering } = await found.feed.count((counted) => ({
        expected: counted,
        // Asked at the very point that was counted.
        answering: found.ask((id) => ({ type: 'count', id }), DEFAULT_TIMEOUT_MS)
      }))
      const answer = await answering
      const counts = answer.type === 'counts' ? answer.counts : {}
      const differing = Object.keys(expected).filter((table) => expected[table] !== counts[table])
      if (differing.length === 0) return true
      console.warn('A replica differs and is dropped', differing)
      found.drop(`It differs in ${differing.join(', ')}.`)
      return false
    },
    status: () => REPLICA_KINDS.map(status),
    close: () => {
      for (const each of running.values()) each.drop('The storage is closed.')
    }
  }
}
