import type { Binder, Complaint, Described, Checked, Shape } from '../../workflow/binder.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import type { Column } from '../../workflow/value-type.ts'
import { toFlowForgeError } from '../../db/ports.ts'
import { toColumn } from './duckdb-types.ts'
import { toPlainWords } from './engine-errors.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

const UNKNOWN_COLUMN = [
  /Referenced column "([^"]+)" not found/i,
  /column "([^"]+)" not found/i,
  /Column "([^"]+)" referenced .* does not exist/i
] as const

/** What the engine refused, for a person; anything but a refusal goes on up. */
const complaint = (thrown: unknown): Complaint => {
  const error = toFlowForgeError(thrown)
  const said = error.details['engine']
  if (error.code !== 'INVALID_INPUT' || typeof said !== 'string') throw error
  const message = toPlainWords(said)
  const unknownColumn = UNKNOWN_COLUMN.map((pattern) => pattern.exec(said)?.[1]).find(
    (name) => name !== undefined
  )
  return unknownColumn === undefined ? { ok: false, message } : { ok: false, message, unknownColumn }
}

/** A query of no rows with these columns. */
const emptyRows = (columns: readonly Column[]): string => {
  const nulls = columns.map(({ name, engineType }) => `CAST(NULL AS ${engineType}) AS ${quoteName(name)}`)
  return `SELECT ${nulls.length === 0 ? 'NULL AS "_none"' : nulls.join(', ')} WHERE false`
}

const CHECKED = '"_checked"'

const stand = (session: Session, columns: readonly Column[]): Promise<void> =>
  session.run(`CREATE OR REPLACE TEMP TABLE ${CHECKED} AS ${emptyRows(columns)}`)

/** Prepared, because that refuses a second statement and table functions. */
const prepareAsValue = (session: Session, expression: string): Promise<void> =>
  session.check(`SELECT (\n${expression}\n) AS v FROM ${CHECKED}`)

const describe = async (session: Session, sql: string, over: readonly Shape[]): Promise<Described> => {
  const shapes = over.map(({ name, columns }) => `${quoteName(name)} AS (${emptyRows(columns)})`)
  const query =
    shapes.length === 0 ? sql : `WITH ${shapes.join(', ')} SELECT * FROM (\n${sql}\n) AS "_described"`
  await session.check(query)
  const rows = await session.rows(`DESCRIBE ${query}`)
  return {
    ok: true,
    columns: rows.map((row) => toColumn(String(row['column_name']), String(row['column_type'])))
  }
}

const checkScalar = async (
  session: Session,
  expression: string,
  columns: readonly Column[]
): Promise<Checked> => {
  await stand(session, columns)
  await prepareAsValue(session, expression)
  // A generated column takes no subquery, aggregate, window or star.
  const list = columns.map(({ name, engineType }) => `${quoteName(name)} ${engineType}, `).join('')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE "_generated" (${list}"_value" GENERATED ALWAYS AS (\n${expression}\n))`
  )
  return { ok: true }
}

const checkAggregate = async (
  session: Session,
  expression: string,
  columns: readonly Column[]
): Promise<Checked> => {
  await stand(session, columns)
  await prepareAsValue(session, expression)
  // Over no rows an aggregate gives one row, and anything else none.
  const rows = await session.rows(`SELECT (\n${expression}\n) AS v FROM ${CHECKED}`)
  return rows.length === 1
    ? { ok: true }
    : { ok: false, message: 'An aggregate gives one value for a group of rows.' }
}

/**
 * Checks expressions and queries against the engine itself, over tables without rows. Parameters stand in SQL as
 * variables that are not set, which are NULL, cast to their type.
 */
export const createBinder = (sessions: Sessions): Binder => {
  const asked = <T>(work: (session: Session) => Promise<T>): Promise<T | Complaint> =>
    sessions.work({}, async ({ session }) => {
      try {
        return await work(session)
      } catch (thrown) {
        return complaint(thrown)
      }
    })
  return {
    describe: (sql, over) => asked((session) => describe(session, sql, over)),
    checkScalar: (expression, columns) => asked((session) => checkScalar(session, expression, columns)),
    checkAggregate: (expression, columns) => asked((session) => checkAggregate(session, expression, columns))
  }
}
