import { createSHA256 } from 'hash-wasm'
import { createArchivedEvents } from '../archive/archived-events.ts'
import { createSegmentCache } from '../archive/segment-cache.ts'
import type { SegmentFiles } from '../archive/segment-files.ts'
import { letOthersGo } from '../backup/turns.ts'
import { createRangeReader } from '../sqlite/event-reading.ts'
import { createTransactions } from '../sqlite/transactions.ts'
import type { ChainFinding } from '../log-port.ts'
import { reseal } from '../log/reseal.ts'
import { verifyChain, type RangeReader } from '../log/verify-chain.ts'
import type { Row } from '../ports.ts'
import type { LostRange, SalvageProgress, SalvageReport, SalvagedTable } from '../salvage-port.ts'
import { isFlowForgeError } from '../flowforge-error.ts'
import type { Bound, SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { mendArchiveIndex } from './archive-index.ts'
import { readableRows } from './readable-rows.ts'

/** Made anew: the schema's own record, and how far projections were, without which they are rebuilt from the log. */
const LEFT_OUT = new Set(['schema_migrations', 'projection_checkpoints', 'projection_states'])
/** Where nothing says how far positions were given out, so many are left unused behind the last: none is given twice. */
const GAP = 1_000_000
const HOLES_LIMIT = 100

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const toBound = (value: unknown): Bound => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  return value instanceof Uint8Array ? value : null
}

const tablesOf = (database: SqliteDatabase): string[] =>
  database
    .allOnce(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       ORDER BY name = 'events' DESC, name`
    )
    .map((row) => String(row['name']))

/** The tables that a damaged schema still names. */
const readableTables = (from: SqliteDatabase): { names: Set<string>; isCut: boolean } => {
  const names = new Set<string>()
  let isCut = false
  for (const rows of readableRows(from, 'sqlite_schema', ['type', 'name'], () => (isCut = true))) {
    for (const row of rows) if (row['type'] === 'table') names.add(String(row['name']))
  }
  return { names, isCut }
}

const columnsOf = (database: SqliteDatabase, table: string): string[] =>
  database.allOnce(`SELECT name FROM pragma_table_info(?)`, [table]).map((row) => String(row['name']))

/** Small blobs have a hash of their own; what does not match it is not what was stored. */
const isIntact = async (table: string, row: Row): Promise<boolean> => {
  const bytes = row['bytes']
  if (table !== 'blobs' || !(bytes instanceof Uint8Array)) return true
  return (await createSHA256()).update(bytes).digest('hex') === row['sha256']
}

const salvageTable = async (
  from: SqliteDatabase,
  to: SqliteDatabase,
  table: string,
  onRows: (rows: number) => void
): Promise<SalvagedTable> => {
  const known = new Set(columnsOf(from, table))
  const columns = columnsOf(to, table).filter((column) => known.has(column))
  const insert = `INSERT INTO ${quoted(table)} (${columns.map(quoted).join(', ')})
    VALUES (${columns.map(() => '?').join(', ')})`
  const lost: LostRange[] = []
  let rows = 0
  let refused = 0

  const put = async (row: Row): Promise<void> => {
    try {
      if (!(await isIntact(table, row))) throw new TypeError('Its hash is another.')
      to.run(
        insert,
        columns.map((column) => toBound(row[column]))
      )
      rows += 1
    } catch (thrown) {
      // The schema refuses what a damaged page made of a row; a full disk is another matter.
      if (isFlowForgeError(thrown) && !['INVALID_INPUT', 'CONFLICT', 'NOT_ALLOWED'].includes(thrown.code)) {
        throw thrown
      }
      refused += 1
    }
  }

  for (const batch of readableRows(from, table, columns, (range) => lost.push(range))) {
    to.script('BEGIN')
    for (const row of batch) {
      // oxlint-disable-next-line no-await-in-loop -- one connection, row by row
      await put(row)
    }
    to.script('COMMIT')
    onRows(batch.length)
    // Who asks whether this worker still answers is told so.
    // oxlint-disable-next-line no-await-in-loop -- the same
    await letOthersGo()
  }
  return { name: table, rows, refused, lost }
}

/** Positions go on behind the last that was ever given out. */
const keepPositions = (from: SqliteDatabase, to: SqliteDatabase, isWhole: boolean): void => {
  const last = Number(to.allOnce('SELECT coalesce(max(position), 0) AS last FROM log_index')[0]?.['last'])
  let given: number
  try {
    given = Number(from.allOnce(`SELECT seq FROM sqlite_sequence WHERE name = 'events'`)[0]?.['seq'] ?? 0)
  } catch {
    given = isWhole ? last : last + GAP
  }
  to.script(`DELETE FROM sqlite_sequence WHERE name = 'events'`)
  to.allOnce(`INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)`, [Math.max(last, given)])
}

/** A chain that differs for good would cry wolf at each check: it is cut where it first differs, and goes on from there. */
const sealAnew = async (
  to: SqliteDatabase,
  findings: readonly ChainFinding[],
  readRange: RangeReader,
  now: () => string
): Promise<{ after: number; events: number } | null> => {
  const [first] = findings
  if (first === undefined || findings.some(({ kind }) => kind === 'unreadable')) return null
  const [intact] = to.allOnce(
    'SELECT max(last_position) AS position FROM log_seals WHERE last_position < ?',
    [first.sealedUpTo]
  )
  const after = Number(intact?.['position'] ?? 0)
  return { after, events: await reseal(to, { after, readRange, now }) }
}

/**
 * Triggers say what may be done to a log that is in use: that an event goes into a segment out of the log's table, which
 * those that are archived already have left long ago.
 */
const withoutTriggers = async (database: SqliteDatabase, work: () => Promise<void>): Promise<void> => {
  const { sqlite3, handle } = database
  const enable = (isOn: 0 | 1): void =>
    void sqlite3.capi.sqlite3_db_config(handle, sqlite3.capi.SQLITE_DBCONFIG_ENABLE_TRIGGER, isOn, 0)
  enable(0)
  try {
    await work()
  } finally {
    enable(1)
  }
}

const refusing = (tables: readonly SalvagedTable[], refused: Readonly<Record<string, number>>) =>
  tables.map((table) => {
    const more = refused[table.name] ?? 0
    return { ...table, rows: table.rows - more, refused: table.refused + more }
  })

const HOLES = `SELECT aggregate_id, count(*) AS events, max(seq) AS last_seq FROM events
  WHERE aggregate_id NOT IN (SELECT aggregate_id FROM archived_streams)
  GROUP BY aggregate_type, aggregate_id HAVING count(*) <> max(seq) ORDER BY aggregate_id LIMIT ${HOLES_LIMIT}`

/**
 * Copies whatever can be read of a damaged database into a fresh one of the newest schema, row by row, and says what could
 * not. The damaged one is only read. Read models follow from the log when the fresh one is opened.
 */
export const salvageDatabase = async (args: {
  readonly from: SqliteDatabase
  /** Migrated, and empty. */
  readonly to: SqliteDatabase
  readonly file: string
  readonly isHeaderRebuilt: boolean
  readonly now: () => string
  /** Where events that were archived can be read. */
  readonly segments?: SegmentFiles
  /** Told at the beginning of each table and as its rows are read. */
  readonly onProgress?: ((progress: SalvageProgress) => void) | undefined
}): Promise<SalvageReport> => {
  const { from, to, file, isHeaderRebuilt, now, segments = { open: async () => null } } = args
  const { onProgress = () => undefined } = args
  // Nothing is written to it: with a writable schema SQLite opens what is cut off, or has an object it cannot make sense of.
  from.script('PRAGMA writable_schema = ON; PRAGMA query_only = ON; PRAGMA cell_size_check = ON')
  const there = readableTables(from)
  // Rows of one table may be all that is left of what another named.
  to.script('PRAGMA foreign_keys = OFF')
  let tables: SalvagedTable[] = []
  const wanted = tablesOf(to).filter((name) => !LEFT_OUT.has(name))
  let read = 0
  await withoutTriggers(to, async () => {
    for (const [index, name] of wanted.entries()) {
      const tell = (rows: number): void => {
        read += rows
        onProgress({ table: name, tablesDone: index, tables: wanted.length, rows: read })
      }
      tell(0)
      // oxlint-disable-next-line no-await-in-loop -- one connection
      if (there.names.has(name)) tables.push(await salvageTable(from, to, name, tell))
      // An older schema had no such table; a damaged one may have had it.
      else if (there.isCut) tables.push({ name, rows: 0, refused: 0, lost: [{ after: 0, before: null }] })
    }
    const { events, streams } = await mendArchiveIndex(to, segments)
    tables = refusing(tables, { archived_events: events, archived_streams: streams })
  })
  const ofEvents = tables.find(({ name }) => name === 'events')
  keepPositions(from, to, ofEvents?.lost.length === 0)
  const transactions = createTransactions(to)
  const archived = createArchivedEvents(to, transactions, createSegmentCache(segments))
  const readFrom = createRangeReader(to, transactions, archived)
  const readRange: RangeReader = async (after, upTo) => {
    await letOthersGo()
    return readFrom(after, upTo)
  }
  const { findings } = await verifyChain(to, { readRange })
  const sealedAnew = await sealAnew(to, findings, readRange, now)
  await transactions.close()
  return {
    kind: 'salvage',
    at: now(),
    file,
    isHeaderRebuilt,
    tables,
    holes: to.allOnce(HOLES).map((row) => ({
      aggregateId: String(row['aggregate_id']),
      events: Number(row['events']),
      lastSeq: Number(row['last_seq'])
    })),
    chain: findings,
    sealedAnew
  }
}
