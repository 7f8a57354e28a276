import type { Row } from '../ports.ts'
import type { LostRange } from '../salvage-port.ts'
import { resultCodeOf } from '../sqlite/sqlite-errors.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

/** The most rows, and about the most bytes, that are handed out together: rows may have a blob each. */
const BATCH = 500
const BATCH_BYTES = 4 * 1024 * 1024
const FAR = Number.MAX_SAFE_INTEGER

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const sizeOf = (row: Row): number =>
  Object.values(row).reduce<number>((sum, value) => {
    if (typeof value === 'string') return sum + value.length
    return value instanceof Uint8Array ? sum + value.byteLength : sum
  }, 0)

/** Rows as one cursor comes to them, in batches; answers whether the file was damaged at the row behind the last. */
function* readUntilDamage(
  { handle }: SqliteDatabase,
  sql: string,
  after: number
): Generator<Row[], { isCut: boolean }> {
  const statement = handle.prepare(sql)
  let rows: Row[] = []
  let bytes = 0
  try {
    statement.bind([after])
    for (;;) {
      try {
        if (!statement.step()) break
      } catch (thrown) {
        if (resultCodeOf(thrown) === undefined) throw thrown
        if (rows.length > 0) yield rows
        return { isCut: true }
      }
      const row: Row = { ...statement.get({}) }
      rows.push(row)
      bytes += sizeOf(row)
      if (rows.length < BATCH && bytes < BATCH_BYTES) continue
      yield rows
      rows = []
      bytes = 0
    }
    if (rows.length > 0) yield rows
    return { isCut: false }
  } finally {
    // It throws what the step threw.
    try {
      statement.finalize()
    } catch {
      // Told already.
    }
  }
}

/** Reads all of it at once: for a statement that gives a row or none. */
const readFew = (
  database: SqliteDatabase,
  sql: string,
  after: number
): { rows: readonly Row[]; isCut: boolean } => {
  const rows: Row[] = []
  const reading = readUntilDamage(database, sql, after)
  for (;;) {
    const next = reading.next()
    if (next.done === true) return { rows, ...next.value }
    rows.push(...next.value)
  }
}

/**
 * Every row of a table that can be read, in batches, in the order in which its pages stand: that of its rowid, unless a
 * damaged page leads to a wrong one. Where a page cannot be read, the next readable row is looked for in growing steps
 * and then narrowed down, so that as little as possible is given up. It always comes to an end: each look begins behind
 * the one before.
 *
 * @throws SQLite's own error where the table cannot be read at all, not even asked for
 */
export function* readableRows(
  database: SqliteDatabase,
  table: string,
  columns: readonly string[],
  onLost: (range: LostRange) => void
): Generator<Row[]> {
  const list = ['rowid AS salvage_rowid', ...columns.map(quoted)].join(', ')
  const all = `SELECT ${list} FROM ${quoted(table)} NOT INDEXED WHERE rowid > ? ORDER BY rowid`
  const one = `${all} LIMIT 1`
  const placeOf = (row: Row | undefined): number | null =>
    row === undefined ? null : Number(row['salvage_rowid'])

  /** Is the first row behind this place readable? `end` where there is none. */
  const probe = (after: number): 'row' | 'end' | 'damage' => {
    const { rows, isCut } = readFew(database, one, after)
    if (isCut) return 'damage'
    return rows.length === 1 ? 'row' : 'end'
  }

  /** The nearest place behind which something can be read again; null where there is none. */
  const findNext = (from: number): number | null => {
    let damaged = from
    let step = 1
    while (from + step < FAR && probe(from + step) === 'damage') {
      damaged = from + step
      step *= 2
    }
    let readable = from + step
    if (readable >= FAR) return null
    while (readable - damaged > 1) {
      const middle = Math.floor((damaged + readable) / 2)
      if (probe(middle) === 'damage') damaged = middle
      else readable = middle
    }
    return readable
  }

  let after = Number.MIN_SAFE_INTEGER
  for (;;) {
    const reading = readUntilDamage(database, all, after)
    let batch = reading.next()
    for (; batch.done !== true; batch = reading.next()) {
      for (const row of batch.value) after = Math.max(after, placeOf(row) ?? after)
      yield batch.value
    }
    if (!batch.value.isCut) return
    const next = findNext(Math.max(after, -1))
    const before = next === null ? null : placeOf(readFew(database, one, next).rows[0])
    onLost({ after: Math.max(after, 0), before })
    if (next === null || before === null) return
    after = next
  }
}
