import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'

/** How many reports of a kind are kept. */
const KEPT = 20

const INSERT =
  'INSERT INTO health_reports (id, kind, outcome, report_json, created_at) VALUES (?, ?, ?, ?, ?)'
const LATEST = 'SELECT outcome FROM health_reports WHERE kind = ? ORDER BY created_at DESC LIMIT 1'
const FORGET = `DELETE FROM health_reports WHERE kind = ?1 AND id NOT IN (
  SELECT id FROM health_reports WHERE kind = ?1 ORDER BY created_at DESC LIMIT ${KEPT})`

export type ReportKind = 'check' | 'room'
export type ReportOutcome = 'sound' | 'damaged' | 'full' | 'free'

export type Reports = {
  keep(kind: ReportKind, outcome: ReportOutcome, report: object): Promise<void>
  /** How the last of a kind ended; null where there is none. */
  latest(kind: ReportKind): Promise<string | null>
}

/** What was found, in a table, so that every tab's screens follow it as they follow any rows. */
export const createReports = (
  database: SqliteDatabase,
  transactions: Transactions,
  world: { readonly now: () => string; readonly newId: () => string }
): Reports => ({
  keep: (kind, outcome, report) =>
    transactions.perform(null, true, () => {
      database.run(INSERT, [world.newId(), kind, outcome, JSON.stringify(report), world.now()])
      database.run(FORGET, [kind])
    }),
  latest: (kind) =>
    transactions.perform(null, false, () => {
      const [row] = database.all(LATEST, [kind])
      return row === undefined ? null : String(row['outcome'])
    })
})
