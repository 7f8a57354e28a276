import type { DbContext } from '../db/ports.ts'

const SCOPE = 'runs.start'

/** Keys of all scopes share one column: one that begins as those of other scopes do stands behind its own. */
const storedKey = (key: string): string =>
  /^(call|http|sent|runs\.start):/.test(key) ? `${SCOPE}:${key}` : key

/** The run that an idempotency key stands for already. */
export const runOf = async (
  { projectionStore }: Pick<DbContext, 'projectionStore'>,
  key: string
): Promise<string | undefined> => {
  const sql = 'SELECT result_json FROM idempotency_keys WHERE key = ? AND scope = ?'
  const [row] = await projectionStore.query({ sql, params: [storedKey(key), SCOPE] })
  const result: unknown = row === undefined ? undefined : JSON.parse(String(row['result_json']))
  return typeof result === 'string' ? result : undefined
}

/** Makes the key stand for the run, within the transaction that queues it. */
export const rememberRun = async (tx: DbContext, key: string, runId: string, now: string): Promise<void> => {
  await tx.projectionStore.query({
    sql: 'INSERT INTO idempotency_keys (key, scope, first_seen_at, result_json) VALUES (?, ?, ?, ?)',
    params: [storedKey(key), SCOPE, now, JSON.stringify(runId)]
  })
}
