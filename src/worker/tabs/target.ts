import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import type { LogBatch, RunProgress } from '../api.ts'
import { followQuery, type LiveAnswer } from '../live-queries.ts'
import type { Program } from '../program.ts'
import { followEvents, type SubscriptionArgs } from '../subscriptions.ts'

/** One call of the door. Sent again under its id, a command lands once. */
export type Call = { readonly id: string; readonly path: readonly string[]; readonly args: unknown }

/** `restMs`: see `LiveQueryInput`. */
export type LiveQuery = {
  readonly sql: string
  readonly params?: unknown[] | undefined
  readonly restMs?: number | undefined
}

/** Whatever answers the door: the program of this worker, or the one of the tab that leads. */
export type Target = {
  /** @param wasSent whether it was sent before, to a worker or a leader that may have carried it out */
  call(call: Call, wasSent: boolean): Promise<unknown>
  /** Nobody waits for this call's answer any more: it is not sent again. */
  forget(id: string): void
  liveQuery(query: LiveQuery, listener: (answer: LiveAnswer) => unknown): () => void
  subscribe(
    args: SubscriptionArgs,
    listener: (batch: LogBatch) => unknown,
    onFailure: (thrown: unknown) => void
  ): () => void
  onProgress(listener: (progress: RunProgress) => unknown): () => void
}

/** What a path of names leads to, by the program's own properties alone: `constructor` is no call. */
const follow = (program: Program, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (at, key) => (Object.hasOwn(Object(at), key) ? Reflect.get(Object(at), key) : undefined),
    program
  )

/** The program of this worker as a target. */
export const toTarget = (program: Program, context: DbContext): Target => ({
  call: async ({ id, path, args }) => {
    const found = follow(program, path)
    if (typeof found === 'function') return found(args, id) as unknown
    throw new FlowForgeError('NOT_FOUND', `There is no call "${path.join('.')}".`)
  },
  forget: () => undefined,
  liveQuery: ({ sql, params, restMs }, listener) =>
    followQuery(context, params === undefined ? { sql } : { sql, params }, listener, restMs),
  subscribe: (args, listener, onFailure) => followEvents(context, args, listener, onFailure),
  onProgress: (listener) => program.onProgress(listener)
})
