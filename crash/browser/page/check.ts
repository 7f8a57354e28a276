import type { LiveAnswer, WorkerClient } from '../../../src/app/worker-client.ts'
import type { Event, Row } from '../../../src/worker/api.ts'
import { ALL_PROJECTIONS } from '../../../src/workflow/projections/all.ts'
import { toStored } from '../../simulation/facts.ts'
import type { Stored } from '../../history/history.ts'
import type { Found, Keys } from '../orders.ts'

const PAGE = 2_000
const TABLES = ALL_PROJECTIONS.flatMap(({ tables }) => tables)
const selectAll = (table: string): string => `SELECT * FROM ${table} ORDER BY 1`

const readLog = async ({ db }: WorkerClient): Promise<Stored[]> => {
  const log: Stored[] = []
  for (let afterPosition = 0; ;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const events: Event[] = await db.readAll({ afterPosition, limit: PAGE })
    log.push(...events.map(toStored))
    const last = events.at(-1)
    if (last === undefined || events.length < PAGE) return log
    afterPosition = last.position
  }
}

/** Waits until a live query answers with what is wanted. */
const until = (client: WorkerClient, sql: string, isWanted: (rows: readonly Row[]) => boolean) =>
  new Promise<void>((resolve, reject) => {
    const hear = (answer: LiveAnswer): void => {
      if ('error' in answer) reject(new Error(answer.error.message))
      else if (isWanted(answer.rows)) {
        resolve()
        queueMicrotask(() => stop())
      }
    }
    const stop = client.liveQuery({ sql, params: [] }, hear)
  })

/** Async projections have heard everything, and no rebuild is under way. */
const caughtUp = async (client: WorkerClient): Promise<void> => {
  for (const { name, mode, hears } of ALL_PROJECTIONS) {
    if (mode !== 'async') continue
    const list = hears.map((type) => `'${type}'`).join(', ')
    const sql = `SELECT coalesce((SELECT max(position) FROM events WHERE event_type IN (${list})), 0) <=
        coalesce((SELECT position FROM projection_checkpoints WHERE projection = '${name}'), 0)
      AND NOT EXISTS (SELECT 1 FROM projection_states WHERE rebuild_version IS NOT NULL) AS is_there`
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await until(client, sql, ([row]) => Number(row?.['is_there']) === 1)
  }
}

const rowsOf = async (ask: (sql: string) => Promise<Row[]>): Promise<Map<string, string>> =>
  new Map(
    await Promise.all(
      TABLES.map(async (table) => [table, JSON.stringify(await ask(selectAll(table)))] as const)
    )
  )

const compare = (what: string, is: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>) =>
  [...wanted].flatMap(([table, rows]) =>
    is.get(table) === rows
      ? []
      : [`${table} differs from ${what}: ${is.get(table)?.slice(0, 200)} / ${rows.slice(0, 200)}`]
  )

const checkProjections = async (client: WorkerClient, rebuilds: boolean): Promise<string[]> => {
  const { db, flowforge } = client
  await caughtUp(client)
  const stored = () => rowsOf((sql) => db.queryProjection({ sql }))
  const before = await stored()
  const position = Number.MAX_SAFE_INTEGER
  const past = await rowsOf(async (sql) => (await flowforge.history.stateAt({ position, sql })).rows)
  const problems = compare('the log', before, past)
  if (!rebuilds) return problems
  await flowforge.projections.rebuild()
  return [...problems, ...compare('before its rebuild', await stored(), before)]
}

const checkFile = async ({ flowforge }: WorkerClient): Promise<string[]> => {
  const { isSound, findings } = await flowforge.health.check()
  const chain = await flowforge.log.verify()
  const { findings: damaged } = await flowforge.archive.verify()
  return [
    ...(isSound ? [] : [`file: ${JSON.stringify(findings.slice(0, 3))}`]),
    ...damaged.map(({ message }) => `segment: ${message}`),
    ...(chain.isIntact ? [] : [`chain: ${JSON.stringify(chain.findings.slice(0, 3))}`])
  ]
}

const hashOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

const readValues = async ({ db }: WorkerClient, keys: Keys): Promise<Found['values']> => ({
  row: await Promise.all(
    keys.row.map(async (key) => {
      const sql = 'SELECT name FROM principals WHERE id = ?'
      const [row] = await db.queryProjection({ sql, params: [key] })
      return row === undefined ? null : String(row['name'])
    })
  ),
  blob: await Promise.all(
    keys.blob.map(async (key) => {
      const blob = await db.getBlob({ key })
      return blob === null ? null : hashOf(new Uint8Array(blob.data))
    })
  ),
  snapshot: await Promise.all(
    keys.snapshot.map(async (aggregateId) => {
      const snapshot = await db.latestSnapshot({ aggregateId })
      return snapshot === null ? null : String(snapshot.lastSeq)
    })
  )
})

/** How long a subscription may take to catch up before it is said that it did not, in ms. */
const PATIENCE_MS = 20_000

export const check = async (
  client: WorkerClient,
  heard: readonly Stored[],
  keys: Keys,
  rebuilds: boolean
): Promise<Found> => {
  const problems = [...(await checkFile(client)), ...(await checkProjections(client, rebuilds))]
  const values = await readValues(client, keys)
  const log = await readLog(client)
  const started = performance.now()
  while ((heard.at(-1)?.position ?? 0) < (log.at(-1)?.position ?? 0)) {
    if (performance.now() - started > PATIENCE_MS) break
    // oxlint-disable-next-line no-await-in-loop -- until it has heard all
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return { log, values, problems, heard: [...heard] }
}
