import { z } from 'zod'
import type { DbContext, Row, RowChange } from '../../db/ports.ts'
import type { Projection } from '../../workflow/aggregate.ts'

/** What a caller wrote into a projection's table without an event, after all that its owner had heard by then. */
export type DirectWrite = {
  readonly id: number
  readonly projection: string
  readonly afterPosition: number
  readonly change: RowChange
}

/** Writes rows for callers, and remembers the writes into tables of projections in the same transaction. */
export type DirectWrites = {
  upsert(tx: DbContext, args: { table: string; rows: readonly Row[] }): Promise<void>
  truncate(tx: DbContext, args: { table: string }): Promise<void>
}

/** Values that JSON has no word for, as JSON; objects are stored as JSON text in any case. */
const toJsonValue = (value: unknown): unknown => {
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? null : { number: String(value) }
  }
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (value instanceof Date || typeof value !== 'object' || value === null) return value ?? null
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner))
}

const JsonValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.object({ bigint: z.string() }).transform(({ bigint }) => BigInt(bigint)),
  z.object({ number: z.string() }).transform(({ number }) => Number(number)),
  z.object({ bytes: z.array(z.number()) }).transform(({ bytes }) => new Uint8Array(bytes))
])
const Rows = z.array(z.record(z.string(), JsonValue))

const toRowsJson = (rows: readonly Row[]): string =>
  JSON.stringify(
    rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toJsonValue(value)]))
    )
  )

/**
 * Where the owner's rows stand in the log. Inline ones stand at its end; async ones at their checkpoint, or where their
 * copies are filled to. Never before an earlier write, so that writes keep their order.
 */
const PLACE = {
  inline: 'SELECT max(position) FROM events',
  async: `SELECT max(coalesce((SELECT position FROM projection_checkpoints WHERE projection = ?1), 0),
                     coalesce((SELECT rebuild_position FROM projection_states WHERE projection = ?1), 0))`
} as const

export const createDirectWrites = (projections: readonly Projection[], now: () => string): DirectWrites => {
  const owners = new Map(
    projections.flatMap((projection) =>
      projection.tables.map((table): [string, { projection: Projection; table: string }] => [
        table.toLowerCase(),
        { projection, table }
      ])
    )
  )

  const remember = async (tx: DbContext, table: string, op: 'upsert' | 'truncate', rows: string) => {
    const owner = owners.get(table.toLowerCase())
    if (owner === undefined) return
    const { name, mode } = owner.projection
    const [found] = await tx.projectionStore.query({
      sql: `SELECT max(coalesce((${PLACE[mode]}), 0),
              coalesce((SELECT max(after_position) FROM direct_writes WHERE projection = ?1), 0)) AS place`,
      params: [name]
    })
    const place = Number(found?.['place'] ?? 0)
    // Nobody can ask any more for what stood there between two events and was thrown away before the second.
    if (op === 'truncate') {
      await tx.projectionStore.query({
        sql: 'DELETE FROM direct_writes WHERE projection = ? AND after_position = ? AND table_name = ?',
        params: [name, place, owner.table]
      })
    }
    await tx.projectionStore.query({
      sql: `INSERT INTO direct_writes (projection, after_position, table_name, op, rows_json, written_at)
            VALUES (?, ?, ?, ?, ?, ?)`,
      params: [name, place, owner.table, op, rows, now()]
    })
  }

  return {
    upsert: (tx, { table, rows }) =>
      tx.tx.runInTransaction(async (inner) => {
        await inner.projectionStore.upsert({ table, rows })
        if (rows.length > 0) await remember(inner, table, 'upsert', toRowsJson(rows))
      }),
    truncate: (tx, { table }) =>
      tx.tx.runInTransaction(async (inner) => {
        await inner.projectionStore.truncate({ table })
        await remember(inner, table, 'truncate', '[]')
      })
  }
}

const WriteRow = z.object({
  id: z.number(),
  projection: z.string(),
  after_position: z.number(),
  table_name: z.string(),
  op: z.enum(['upsert', 'truncate']),
  rows_json: z.string()
})

const toWrite = (row: Row): DirectWrite => {
  const { id, projection, after_position, table_name: table, op, rows_json } = WriteRow.parse(row)
  return {
    id,
    projection,
    afterPosition: after_position,
    change: op === 'truncate' ? { op, table } : { op, table, rows: Rows.parse(JSON.parse(rows_json)) }
  }
}

/** The writes behind `afterWrite` up to the last that came before the event after `upToPosition`, in their order. */
export const readDirectWrites = async (
  context: DbContext,
  args: { projections: readonly string[]; afterWrite: number; upToPosition: number }
): Promise<DirectWrite[]> => {
  const rows = await context.projectionStore.query({
    sql: `SELECT id, projection, after_position, table_name, op, rows_json FROM direct_writes
          WHERE id > ? AND after_position <= ? AND projection IN (SELECT value FROM json_each(?)) ORDER BY id`,
    params: [args.afterWrite, args.upToPosition, JSON.stringify(args.projections)]
  })
  return rows.map(toWrite)
}
