import { FlowForgeError } from '../flowforge-error.ts'
import { nextPiece } from '../health/piece-size.ts'
import type { FeedMessage, NewRows, ReplicaTable, ReplicaView } from '../replica/messages.ts'
import { countSql } from '../replica/replica-store.ts'
import { quotedName } from '../table-names.ts'
import { recordChanges } from './changesets.ts'
import { toBound } from './row-writing.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import type { Transactions } from './transactions.ts'

/** Tells one replica what it needs: every row once, and every change, in the order of commits. */
export type ReplicaFeed = {
  /** Tells all that is committed by now, before what the caller does next. */
  flush(): Promise<void>
  /** The same, and hands on at once what each table counts at that point. */
  count<T>(use: (counts: Readonly<Record<string, string>>) => T): Promise<T>
  position(): number
  stop(): void
}

/** How long one slice of rows may keep the writer busy, in ms; an append waits no longer for it. */
const SLICE_MS = 2
const FIRST_SLICE = 100
/** Of a table whose rows may be large. */
const FIRST_LARGE_SLICE = 4
/** How long commits are gathered before they are told, in ms. */
const GATHER_MS = 50

const safe = `BETWEEN -9007199254740991 AND 9007199254740991`

const sentSql = ({ name, type }: ReplicaTable['columns'][number]): string => {
  const column = quotedName(name)
  if (type === 'BLOB') return `CASE WHEN ${column} IS NOT NULL THEN hex(${column}) END`
  return type === 'INTEGER'
    ? `CASE WHEN ${column} ${safe} THEN ${column} ELSE CAST(${column} AS TEXT) END`
    : column
}

/** By what slices are told apart: a table without rowids has its key. */
const placeOf = ({ sql, primaryKey }: ReplicaTable): { sql: string; first: string | number } =>
  /\bWITHOUT\s+ROWID\b/i.test(sql[0] ?? '')
    ? { sql: quotedName(primaryKey[0] ?? ''), first: '' }
    : { sql: 'rowid', first: Number.MIN_SAFE_INTEGER }

const sliceSql = (table: ReplicaTable): string => {
  const { name, columns } = table
  const place = placeOf(table).sql
  return `SELECT CAST(json_group_array(json_array(${columns.map(sentSql).join(', ')}) ORDER BY _place) AS BLOB) AS rows,
   max(_place) AS place, count(*) AS n
   FROM (SELECT ${place} AS _place, * FROM ${quotedName(name)} WHERE ${place} > ? ORDER BY ${place} LIMIT ?)`
}

const toPlace = (value: unknown): string | number => (typeof value === 'string' ? value : Number(value))

const tablesOf = (database: SqliteDatabase, ordered: ReadonlySet<string>): ReplicaTable[] =>
  database
    .allOnce(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`
    )
    .map(({ name }) => {
      const columns = database.allOnce('SELECT name, type, pk FROM pragma_table_info(?)', [String(name)])
      const sql = database.allOnce(
        `SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND type IN ('table', 'index') AND sql IS NOT NULL
         ORDER BY type = 'index'`,
        [String(name)]
      )
      const primaryKey = columns.filter(({ pk }) => Number(pk) > 0).map((row) => String(row['name']))
      if (primaryKey.length === 0) {
        const message = `The table "${String(name)}" has no primary key: its changes cannot be followed.`
        throw new FlowForgeError('INTERNAL', message)
      }
      return {
        name: String(name),
        sql: sql.map((row) => String(row['sql'])),
        columns: columns.map((row) => ({ name: String(row['name']), type: String(row['type']) })),
        primaryKey,
        isOrdered: ordered.has(String(name))
      }
    })

const viewsOf = (database: SqliteDatabase): ReplicaView[] =>
  database
    .allOnce(`SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY rowid`)
    .map(({ name, sql }) => ({ name: String(name), sql: String(sql) }))

/** The tables whose rowids a view reads, as SQLite tells when it is asked what it would do. */
const orderedTables = (database: SqliteDatabase, views: readonly ReplicaView[]): ReadonlySet<string> => {
  const { SQLITE_READ, SQLITE_OK } = database.sqlite3.capi
  const tables = new Set<string>()
  database.guard.current = (action, table, column) => {
    if (action === SQLITE_READ && table !== 0 && column === 'ROWID') tables.add(table)
    return SQLITE_OK
  }
  try {
    for (const { name } of views) database.handle.prepare(`SELECT * FROM ${quotedName(name)}`).finalize()
  } finally {
    database.guard.current = null
  }
  return tables
}

/** Tells of ordered tables which rows have come since it was asked last, in their order. */
const createRowWatch = (database: SqliteDatabase, tables: readonly ReplicaTable[]): (() => NewRows[]) => {
  const lastOf = (name: string): number =>
    Number(database.all(`SELECT max(rowid) AS last FROM ${quotedName(name)}`)[0]?.['last'] ?? 0)
  const seen = new Map(tables.map(({ name }) => [name, lastOf(name)]))
  return () =>
    tables.map(({ name, primaryKey }) => {
      const key = primaryKey.map(quotedName).join(', ')
      const sql = `SELECT ${key} FROM ${quotedName(name)} WHERE rowid > ? ORDER BY rowid`
      const rows = database.all(sql, [seen.get(name) ?? 0])
      // Where the last ones were deleted, the next ones take their places.
      seen.set(name, lastOf(name))
      return { table: name, keys: rows.map((row) => primaryKey.map((column) => toBound(row[column], name))) }
    })
}

/**
 * Copies in slices while the writer goes on. Before each slice what was committed is told, so that a slice is of the
 * very point where it stands among the changes: a row is either copied later as it is then, or changed there as here.
 *
 * @param fail told that this feed is of no use any more, and why
 */
export const startReplicaFeed = (
  database: SqliteDatabase,
  transactions: Transactions,
  send: (message: FeedMessage, transfer?: Transferable[]) => void,
  fail: (thrown: unknown) => void
): ReplicaFeed => {
  const schemaVersion = (): number => Number(database.all('PRAGMA schema_version')[0]?.['schema_version'])
  const position = (): number =>
    Number(database.all('SELECT coalesce(max(position), 0) AS position FROM events')[0]?.['position'])
  const version = schemaVersion()
  const views = viewsOf(database)
  const tables = tablesOf(database, orderedTables(database, views))
  const takeNewRows = createRowWatch(
    database,
    tables.filter(({ isOrdered }) => isOrdered)
  )
  const recorder = recordChanges(database.sqlite3, database.handle)
  let isOver = false
  let timer: ReturnType<typeof setTimeout> | null = null

  const stop = (): void => {
    if (isOver) return
    isOver = true
    if (timer !== null) clearTimeout(timer)
    stopHearing()
    recorder.stop()
  }

  /** Does something at a point where the database stands as committed, and nobody is in the middle of anything. */
  const atCommitted = <T>(work: () => T): Promise<T> =>
    new Promise((resolve, reject) =>
      transactions.whenNoneIsOpen(() => {
        try {
          if (isOver) throw new FlowForgeError('WORKER_LOST', 'The replica was dropped. Ask again.')
          resolve(work())
        } catch (thrown) {
          reject(thrown)
        }
      })
    )

  const tellChanges = (): void => {
    if (schemaVersion() !== version)
      throw new FlowForgeError('CORRUPT', 'The tables have changed: the replica must be built anew.')
    const changeset = recorder.take()
    if (changeset === null) return
    const message = { type: 'changes', changeset, newRows: takeNewRows(), position: position() } as const
    send(message, [changeset.buffer])
  }

  const failing = <T>(work: Promise<T>): Promise<T> =>
    work.catch((thrown: unknown) => {
      if (!isOver) fail(thrown)
      throw thrown
    })
  /** The same where nobody waits: who is to be told has been. */
  const orFail = (work: Promise<unknown>): void => {
    failing(work).catch(() => undefined)
  }
  const flush = (): Promise<void> => failing(atCommitted(tellChanges))

  const stopHearing = transactions.onCommit(() => {
    timer ??= setTimeout(() => {
      timer = null
      orFail(flush())
    }, GATHER_MS)
  })

  const copySlice = (table: ReplicaTable, after: string | number, limit: number) => {
    tellChanges()
    const begun = performance.now()
    const [row] = database.all(sliceSql(table), [after, limit])
    const rows = row?.['rows']
    const count = Number(row?.['n'])
    if (count > 0 && rows instanceof Uint8Array) {
      const sent = new Uint8Array(rows)
      send({ type: 'rows', table: table.name, rows: sent }, [sent.buffer])
    }
    const bytes = rows instanceof Uint8Array ? rows.byteLength : 0
    return { count, bytes, place: toPlace(row?.['place'] ?? after), ms: performance.now() - begun }
  }

  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

  const copyAll = async (): Promise<void> => {
    send({ type: 'tables', tables, views })
    for (const table of tables) {
      let after = placeOf(table).first
      let limit = table.columns.some(({ type }) => type === 'BLOB') ? FIRST_LARGE_SLICE : FIRST_SLICE
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- slice by slice, so that others get their turn
        const { count, bytes, place, ms } = await atCommitted(() => copySlice(table, after, limit))
        if (count < limit) break
        after = place
        const inTime = Math.floor((limit * SLICE_MS) / Math.max(ms, 0.1))
        limit = Math.max(1, Math.min(nextPiece(limit, bytes), inTime))
        // oxlint-disable-next-line no-await-in-loop -- the same
        await pause()
      }
    }
    await atCommitted(() => {
      tellChanges()
      send({ type: 'copied', position: position() })
    })
  }

  orFail(copyAll())
  return {
    flush,
    count: (use) =>
      atCommitted(() => {
        tellChanges()
        return use(
          Object.fromEntries(
            tables.map((table) => [
              table.name,
              String(database.all(countSql(table, 'octet_length'))[0]?.['counted'])
            ])
          )
        )
      }),
    position,
    stop
  }
}
