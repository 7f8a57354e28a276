import type { DbContext } from '../db/ports.ts'
import type { World } from './world.ts'

/** Notes of calls that were carried out; the id is the call's. */
const SCOPE = 'call'
/** How long a note is kept, in ms: far longer than a page waits for an answer. */
const KEPT_MS = 24 * 60 * 60 * 1_000

/** Before the key of a blob whose call has not yet been carried out. */
export const STAGED_PREFIX = `${SCOPE}:`

const keyOf = (callId: string): string => `${SCOPE}:${callId}`

/** Notes, within the transaction of its work, that a call was carried out; false where that was noted before. */
export const noteCall = async (tx: DbContext, callId: string, now: string): Promise<boolean> => {
  const noted = await tx.projectionStore.query({
    sql: `INSERT INTO idempotency_keys (key, scope, first_seen_at) VALUES (?, ?, ?)
          ON CONFLICT (key) DO NOTHING RETURNING key`,
    params: [keyOf(callId), SCOPE, now]
  })
  return noted.length > 0
}

export const isCallNoted = async (tx: DbContext, callId: string): Promise<boolean> => {
  const sql = 'SELECT 1 FROM idempotency_keys WHERE key = ?'
  return (await tx.projectionStore.query({ sql, params: [keyOf(callId)] })).length > 0
}

/** Carries out a command that leaves no event, in one transaction with a note of its call: sent again, it does nothing. */
export type Once = (callId: string | undefined, work: (tx: DbContext) => Promise<void>) => Promise<void>

export const createOnce =
  (context: DbContext, world: Pick<World, 'now'>): Once =>
  async (callId, work) => {
    if (callId === undefined) return work(context)
    await context.tx.runInTransaction(async (tx) => {
      if (await noteCall(tx, callId, world.now())) await work(tx)
    })
  }

/** Forgets the notes that nobody can ask for any more, and blobs whose calls were never sent again. */
export const forgetOldCalls = async (context: DbContext, world: Pick<World, 'now'>): Promise<void> => {
  const before = new Date(Date.parse(world.now()) - KEPT_MS).toISOString()
  await context.projectionStore.query({
    sql: 'DELETE FROM idempotency_keys WHERE scope = ? AND first_seen_at < ?',
    params: [SCOPE, before]
  })
  await context.projectionStore.query({
    sql: 'DELETE FROM blobs WHERE substr(key, 1, ?) = ? AND created_at < ?',
    params: [STAGED_PREFIX.length, STAGED_PREFIX, before]
  })
}
