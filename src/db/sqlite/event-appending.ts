import type { ArchivedEvents } from '../archive/archived-events.ts'
import { EVENT_COLUMN_LIST, toEvent } from '../log/event-rows.ts'
import { FlowForgeError, type Event, type NewEvent } from '../ports.ts'
import {
  aggregateTypeOf,
  LINE_COLUMNS,
  toLine,
  txIdOf,
  valuesOf,
  type Line,
  type LineColumn,
  type LineValues
} from './event-lines.ts'
import { attempt } from './savepoints.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import type { Gather } from './transactions.ts'

export type StoreWorld = { readonly now: () => string; readonly newId: () => string }

const BY_ID = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE id = ?`
const BY_IDS = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE id IN (SELECT value FROM json_each(?))`
const HEAD = 'SELECT coalesce(max(seq), 0) AS seq FROM events WHERE aggregate_type = ? AND aggregate_id = ?'
/** The ends of many streams, asked for in one question: `[type, id]` pairs. */
const HEADS = `SELECT value ->> 1 AS id, (SELECT coalesce(max(seq), 0) FROM events
  WHERE aggregate_type = asked.value ->> 0 AND aggregate_id = asked.value ->> 1) AS seq FROM json_each(?) AS asked`
const INSERT_ONE = `INSERT INTO events (${LINE_COLUMNS.join(', ')}) VALUES (${LINE_COLUMNS.map(() => '?').join(', ')})`

/**
 * Columns that neighbouring lines tend to have in common: those of a group that are the same in all lines are bound once,
 * because taking a value out of JSON is half of what an insert costs. A group is bound whole or not at all, so that there
 * are few statements to keep.
 */
const COMMON: readonly (readonly LineColumn[])[] = [
  ['aggregate_type', 'aggregate_id'],
  ['event_type', 'event_version'],
  ['tx_id'],
  ['caused_by_event_id', 'metadata_json'],
  ['created_at']
]

/** Inserts lines in their order by one statement. Those values that differ arrive as a JSON array of arrays. */
const insertMany = (database: SqliteDatabase, rows: readonly LineValues[]): void => {
  const [first] = rows
  if (first === undefined) return
  const isCommon = (column: LineColumn): boolean => {
    const at = LINE_COLUMNS.indexOf(column)
    return rows.every((row) => row[at] === first[at])
  }
  const bound = new Set(COMMON.filter((group) => group.every(isCommon)).flat())
  const common = LINE_COLUMNS.filter((column) => bound.has(column))
  const own = LINE_COLUMNS.filter((column) => !bound.has(column))
  const values = LINE_COLUMNS.map((column) =>
    bound.has(column) ? `?${common.indexOf(column) + 2}` : `value ->> ${own.indexOf(column)}`
  )
  const pick = (columns: readonly LineColumn[]): ((row: LineValues) => LineValues) => {
    const places = columns.map((column) => LINE_COLUMNS.indexOf(column))
    return (row) => places.map((place) => row[place] ?? null)
  }
  database.run(
    `INSERT INTO events (${LINE_COLUMNS.join(', ')}) SELECT ${values.join(', ')} FROM json_each(?1) ORDER BY key`,
    [JSON.stringify(rows.map(pick(own))), ...pick(common)(first)]
  )
}

/** The same id means the same event: one of another stream or type has no right to it. */
const checkSame = (event: NewEvent, found: Omit<Event, 'position'>): void => {
  if (found.aggregateId === event.aggregateId && found.eventType === event.eventType) return
  const message = `The event id "${found.id}" is taken by a ${found.eventType} of "${found.aggregateId}".`
  throw new FlowForgeError('CONFLICT', message, { id: found.id, aggregateId: found.aggregateId })
}

/** What a caller will be answered with: events that were stored before, and lines that are about to be. */
type Answer = Event | Line
const isLine = (answer: Answer): answer is Line => 'payloadJson' in answer

/**
 * Appends the batches of several callers with one statement. Each batch is all or none and has an outcome of its own:
 * conflicts are found before anything is written, so that they touch nobody else.
 */
export const createAppending = (
  database: SqliteDatabase,
  world: StoreWorld,
  archived: ArchivedEvents
): Gather<readonly NewEvent[], Event[]> => {
  /** Those whose ids are stored already, by id. */
  const storedAmong = (events: readonly NewEvent[]): Map<string, Event> => {
    const ids = events.flatMap(({ id }) => (id === undefined ? [] : [id]))
    if (ids.length === 0) return new Map()
    const [only] = ids
    const rows =
      ids.length === 1 && only !== undefined
        ? database.all(BY_ID, [only])
        : database.all(BY_IDS, [JSON.stringify(ids)])
    if (!archived.isEmpty()) rows.push(...archived.withIds(ids))
    return new Map(rows.map(toEvent).map((event) => [event.id, event]))
  }

  const headsInLog = (ids: readonly string[]): [string, number][] => {
    const [only] = ids
    if (ids.length === 1 && only !== undefined) {
      return [[only, Number(database.all(HEAD, [aggregateTypeOf(only), only])[0]?.['seq'] ?? 0)]]
    }
    const asked = JSON.stringify(ids.map((id) => [aggregateTypeOf(id), id]))
    return database.all(HEADS, [asked]).map((row) => [String(row['id']), Number(row['seq'])])
  }

  const headsOf = (events: readonly NewEvent[]): Map<string, number> => {
    const heads = headsInLog([...new Set(events.map(({ aggregateId }) => aggregateId))])
    if (archived.isEmpty()) return new Map(heads)
    return new Map(heads.map(([id, seq]) => [id, Math.max(seq, archived.headOf(id))]))
  }

  const write = (lines: readonly Line[]): Map<Line, Event> => {
    const [only] = lines
    if (only === undefined) return new Map()
    if (lines.length === 1) database.run(INSERT_ONE, valuesOf(only))
    else insertMany(database, lines.map(valuesOf))
    const last = Number(database.sqlite3.capi.sqlite3_last_insert_rowid(database.handle))
    const first = last - lines.length + 1
    return new Map(lines.map((line, index) => [line, { ...line.event, position: first + index }]))
  }

  return (batches) => {
    const all = batches.flat()
    const stored = storedAmong(all)
    const heads = headsOf(all)
    const now = world.now()
    const lines: Line[] = []
    const linesById = new Map<string, Line>()

    const place = (batch: readonly NewEvent[]): Answer[] => {
      const own = new Map<string, Line>()
      const ends = new Map<string, number>()
      const txId = batch.map(txIdOf).find((id) => id !== undefined) ?? world.newId()
      const answers = batch.map((event): Answer => {
        const { id, aggregateId } = event
        const before = id === undefined ? undefined : (stored.get(id) ?? linesById.get(id) ?? own.get(id))
        if (before !== undefined) {
          checkSame(event, isLine(before) ? before.event : before)
          return before
        }
        const seq = (ends.get(aggregateId) ?? heads.get(aggregateId) ?? 0) + 1
        const line = toLine(event, { seq, txId, now, newId: world.newId })
        ends.set(aggregateId, seq)
        own.set(line.event.id, line)
        return line
      })
      // Nothing of a batch counts for those behind it before all of it is known to fit.
      for (const [aggregateId, end] of ends) heads.set(aggregateId, end)
      for (const [id, line] of own) {
        linesById.set(id, line)
        lines.push(line)
      }
      return answers
    }

    const placed = batches.map((batch) => attempt(() => place(batch)))
    const written = write(lines)
    const toStored = (answer: Answer): Event => {
      if (!isLine(answer)) return answer
      const event = written.get(answer)
      if (event === undefined) throw new FlowForgeError('INTERNAL', 'An event was placed and not written.')
      return event
    }
    return placed.map((outcome) => (outcome.ok ? { ok: true, value: outcome.value.map(toStored) } : outcome))
  }
}
