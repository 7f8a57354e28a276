import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import type { RunProgress } from '../api.ts'
import { followQuery, type LiveAnswer } from '../live-queries.ts'
import type { Program } from '../program.ts'
import { followEvents, type LogBatch, type SubscriptionArgs } from '../subscriptions.ts'

/** One call of the door. Sent again under its id, a command lands once. */
export type Call = { readonly id: string; readonly path: readonly string[]; readonly args: unknown }

export type LiveQuery = { readonly sql: string; readonly params?: unknown[] | undefined }

/** Whatever answers the door: the program of this worker, or the one of the tab that leads. */
export type Target = {
  /** @param mayRepeat whether it was, or may yet be, sent to another leader too; only then is its id noted with what it does */
  call(call: Call, mayRepeat: boolean): Promise<unknown>
  liveQuery(query: LiveQuery, listener: (answer: LiveAnswer) => unknown): () => void
  subscribe(
    args: SubscriptionArgs,
    listener: (batch: LogBatch) => unknown,
    onFailure: (thrown: unknown) => void
  ): () => void
  onProgress(listener: (progress: RunProgress) => unknown): () => void
}

/** The program of this worker as a target. */
export const toTarget = (program: Program, context: DbContext): Target => ({
  call: async ({ id, path, args }, mayRepeat) => {
    const found = path.reduce<unknown>((at, key) => Reflect.get(Object(at), key), program)
    if (typeof found === 'function') return found(args, mayRepeat ? id : undefined) as unknown
    throw new FlowForgeError('NOT_FOUND', `There is no call "${path.join('.')}".`)
  },
  liveQuery: ({ sql, params }, listener) =>
    followQuery(context, params === undefined ? { sql } : { sql, params }, listener),
  subscribe: (args, listener, onFailure) => followEvents(context, args, listener, onFailure),
  onProgress: (listener) => program.onProgress(listener)
})
