import type { Row } from '../ports.ts'
import type { LostRange } from '../salvage-port.ts'
import { resultCodeOf } from '../sqlite/sqlite-errors.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

const BATCH = 500
const FAR = Number.MAX_SAFE_INTEGER

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Rows up to the one at which the file is damaged, if it is; `isCut` says so. */
const readUntilDamage = (
  { handle }: SqliteDatabase,
  sql: string,
  after: number
): { rows: Row[]; isCut: boolean } => {
  const rows: Row[] = []
  const statement = handle.prepare(sql)
  try {
    statement.bind([after])
    while (statement.step()) rows.push({ ...statement.get({}) })
    return { rows, isCut: false }
  } catch (thrown) {
    if (resultCodeOf(thrown) === undefined) throw thrown
    return { rows, isCut: true }
  } finally {
    // It throws what the step threw.
    try {
      statement.finalize()
    } catch {
      // Told already.
    }
  }
}

/**
 * Every row of a table that can be read, in the order of its rowid, in batches. Where a page is damaged, the next
 * readable row is looked for in growing steps and then narrowed down, so that as little as possible is given up.
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
  const select = (limit: number): string =>
    `SELECT ${list} FROM ${quoted(table)} NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ${limit}`
  const placeOf = (row: Row | undefined): number | null =>
    row === undefined ? null : Number(row['salvage_rowid'])

  /** Is the first row behind this place readable? `end` where there is none. */
  const probe = (after: number): 'row' | 'end' | 'damage' => {
    const { rows, isCut } = readUntilDamage(database, select(1), after)
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
    const { rows, isCut } = readUntilDamage(database, select(BATCH), after)
    if (rows.length > 0) yield rows
    after = placeOf(rows.at(-1)) ?? after
    if (!isCut) {
      if (rows.length < BATCH) return
      continue
    }
    const start = Math.max(after, -1)
    const next = findNext(start)
    const [row] = next === null ? [] : readUntilDamage(database, select(1), next).rows
    const before = placeOf(row)
    onLost({ after: Math.max(after, 0), before })
    if (next === null || before === null) return
    after = next
  }
}
