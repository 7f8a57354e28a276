import { FlowForgeError, type Row } from '../ports.ts'
import { aggregateTypeOf } from '../sqlite/event-lines.ts'
import { readAllQuery, type LoadArgs, type ReadAllArgs } from '../sqlite/event-queries.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Scope, Transactions } from '../sqlite/transactions.ts'
import { damagedSegment, SEGMENT_COLUMNS, toSegment, type Segment } from './segment.ts'
import type { SegmentCache } from './segment-cache.ts'
import type { SegmentContent } from './segment-content.ts'
import { SegmentDamage } from './segment-files.ts'

const IS_THERE = 'SELECT EXISTS (SELECT 1 FROM archive_segments) AS is_there'
const SEGMENT = `SELECT ${SEGMENT_COLUMNS} FROM archive_segments WHERE id = ?`
const STREAMS = 'SELECT aggregate_id FROM archived_streams WHERE segment_id = ? ORDER BY aggregate_id'
const OF_STREAM = `SELECT segment_id FROM archived_streams
  WHERE aggregate_type = ? AND aggregate_id = ? AND last_seq > ? ORDER BY first_seq`
const HEAD = 'SELECT max(last_seq) AS seq FROM archived_streams WHERE aggregate_type = ? AND aggregate_id = ?'
const WITH_IDS = `SELECT position, segment_id FROM archived_events
  WHERE id IN (SELECT value FROM json_each(?)) ORDER BY position`
const INDEX = { table: 'archived_events', columns: 'position, segment_id' }

/** Thrown by a unit that reads a segment which is not in memory: it can be done when that has been read. */
class SegmentWanted extends Error {
  override readonly name = 'SegmentWanted'
  readonly segment: Segment
  constructor(segment: Segment) {
    super(`The segment ${segment.id} must be read first.`)
    this.segment = segment
  }
}

/**
 * The events that are archived, as their rows. All but `through` are for units inside of it: they answer at once, from
 * memory, so that what they read is of one point in time with what the unit reads from the log's table.
 */
export type ArchivedEvents = {
  /** Known without asking anybody: while nothing is archived, reading and appending have nothing to do here. */
  isEmpty(): boolean
  /** In order, those after a seq. */
  ofStream(args: LoadArgs): Row[]
  /** The seq that a stream's archived events end at; 0 where there are none. */
  headOf(aggregateId: string): number
  /** In order, as `readAll` would. */
  inRange(args: ReadAllArgs): Row[]
  withIds(ids: readonly string[]): Row[]
  /**
   * Does a unit again and again, until each segment that it asks for is in memory.
   * @throws FlowForgeError `CORRUPT` that names a segment which cannot be read
   */
  through<T>(scope: Scope | null, unit: (at: Scope | null) => Promise<T>): Promise<T>
  /**
   * Something is about to be archived. To be called before the transaction that does it is asked for: whoever was told
   * that nothing is archived has his turn before it.
   */
  expect(): void
  /** It was, or something came back: looks whether anything is archived now. */
  look(): void
  /** A segment cannot be read: with the streams that are in it. */
  damaged(segment: Segment, thrown: unknown): FlowForgeError
}

export const createArchivedEvents = (
  database: SqliteDatabase,
  transactions: Transactions,
  cache: SegmentCache
): ArchivedEvents => {
  let isThere = false
  const look = (): void => {
    isThere = Number(database.all(IS_THERE)[0]?.['is_there']) === 1
  }
  look()

  const segmentOf = (id: number): Segment | undefined => database.all(SEGMENT, [id]).map(toSegment)[0]

  const contentOf = (id: number): SegmentContent => {
    const content = cache.get(id)
    if (content !== undefined) return content
    const segment = segmentOf(id)
    if (segment === undefined)
      throw new FlowForgeError('INTERNAL', `There is no archive segment ${id}.`, { id })
    throw new SegmentWanted(segment)
  }

  const rowsAt = (places: readonly Row[]): Row[] =>
    places.map((place) => {
      const position = Number(place['position'])
      const row = contentOf(Number(place['segment_id'])).at(position)
      if (row !== undefined) return row
      throw new FlowForgeError(
        'CORRUPT',
        `The archived event at position ${position} is not in its segment.`,
        {
          position,
          segmentId: place['segment_id']
        }
      )
    })

  const damaged = (segment: Segment, thrown: unknown): FlowForgeError => {
    const streams = database.all(STREAMS, [segment.id]).map((row) => String(row['aggregate_id']))
    return damagedSegment(segment, streams, thrown instanceof Error ? thrown.message : String(thrown), thrown)
  }

  /** Undefined where the segment's events came back to the log while its file was being read. */
  const hold = async (at: Scope | null, segment: Segment): Promise<(() => void) | undefined> => {
    try {
      return await cache.hold(segment)
    } catch (thrown) {
      if (!(thrown instanceof SegmentDamage)) throw thrown
      await transactions.perform(at, false, () => {
        if (segmentOf(segment.id) !== undefined) throw damaged(segment, thrown)
      })
      return undefined
    }
  }

  const again = async <T>(at: Scope | null, unit: (at: Scope | null) => Promise<T>): Promise<T> => {
    const letGo: (() => void)[] = []
    try {
      for (;;) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- it is done again when what it asked for is there
          return await unit(at)
        } catch (thrown) {
          if (!(thrown instanceof SegmentWanted)) throw thrown
          // oxlint-disable-next-line no-await-in-loop -- see above
          const held = await hold(at, thrown.segment)
          if (held !== undefined) letGo.push(held)
        }
      }
    } finally {
      for (const each of letGo) each()
    }
  }

  return {
    isEmpty: () => !isThere,
    expect: () => {
      isThere = true
    },
    look,
    damaged,
    ofStream: ({ aggregateId, afterSeq = 0 }) =>
      database.all(OF_STREAM, [aggregateTypeOf(aggregateId), aggregateId, afterSeq]).flatMap((place) =>
        contentOf(Number(place['segment_id']))
          .ofStream(aggregateId)
          .filter((row) => Number(row['seq']) > afterSeq)
      ),
    headOf: (aggregateId) =>
      Number(database.all(HEAD, [aggregateTypeOf(aggregateId), aggregateId])[0]?.['seq'] ?? 0),
    inRange: (args) => {
      const { sql, params } = readAllQuery(args, INDEX)
      return rowsAt(database.all(sql, params))
    },
    withIds: (ids) => rowsAt(database.all(WITH_IDS, [JSON.stringify(ids)])),
    through: (scope, unit) => {
      // Whose transaction it is part of is known at the call alone.
      const at = scope ?? transactions.current()
      return at === null ? again(at, unit) : transactions.bound(at, again(at, unit))
    }
  }
}

/** For a store that has nothing to do with an archive. */
export const noArchivedEvents: ArchivedEvents = {
  isEmpty: () => true,
  expect: () => undefined,
  look: () => undefined,
  damaged: (segment, thrown) => damagedSegment(segment, [], String(thrown)),
  ofStream: () => [],
  headOf: () => 0,
  inRange: () => [],
  withIds: () => [],
  through: (scope, unit) => unit(scope)
}
