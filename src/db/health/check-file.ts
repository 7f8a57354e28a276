import type { CheckFinding } from '../health-port.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { STEP_MS, ownCheck, walkTable, type InTurn } from './check-table.ts'

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

const TABLES = `SELECT name, sql LIKE '%WITHOUT ROWID%' AS is_plain FROM sqlite_schema
  WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND rootpage > 0 ORDER BY name`

const EXISTS = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`

/** Checks every table of a database's file; others use it in between. */
export const checkFile = async (
  database: SqliteDatabase,
  inTurn: InTurn,
  onTable: (table: string) => void = () => undefined,
  stepMs = STEP_MS
): Promise<{ tables: number; findings: CheckFinding[] }> => {
  const tables = await inTurn(() => database.allOnce(TABLES))
  const findings: CheckFinding[] = []
  for (const { name, is_plain: isPlain } of tables) {
    const table = String(name)
    onTable(table)
    try {
      // oxlint-disable no-await-in-loop -- a table a turn
      const quick = await inTurn(() => ownCheck(database, 'quick_check', table, stepMs))
      const messages =
        quick ??
        (Number(isPlain) === 1
          ? await inTurn(() => ownCheck(database, 'quick_check', table, Number.POSITIVE_INFINITY))
          : await walkTable(database, inTurn, table)) ??
        []
      // oxlint-enable no-await-in-loop
      findings.push(...messages.map((message) => ({ table, message })))
    } catch (thrown) {
      // A rebuild has put its copies in their place meanwhile.
      // oxlint-disable-next-line no-await-in-loop -- a table a turn
      if (await inTurn(() => database.all(EXISTS, [table]).length === 0)) continue
      findings.push({ table, message: messageOf(thrown) })
    }
  }
  return { tables: tables.length, findings }
}
