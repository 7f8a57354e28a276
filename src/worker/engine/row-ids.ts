import { toQuery } from '../../workflow/query.ts'
import type { RowIdPlan } from '../../workflow/row-ids/plan-row-ids.ts'
import { nameList, quoteName } from '../../workflow/sql-text.ts'
import type { Column } from '../../workflow/value-type.ts'
import type { ExecutionListener } from './compute-engine.ts'
import { toArrowQuery, typedMark } from './duckdb-types.ts'
import { planShape } from './plan-shape.ts'
import type { Execution } from './plan-under-way.ts'
import type { Session } from './session.ts'

/** The marks of a plan that is being carried out, and where relations stand that are tables with marks by now. */
export type RunRowIds = {
  readonly plan: RowIdPlan
  /** By relation; under its own id it stands without marks. */
  readonly standsAs: Map<string, string>
}

/** What is asked of a run here. */
type Marking = Pick<Execution, 'plan' | 'tables' | 'rowIds'> & {
  readonly place: { readonly session: Pick<Session, 'rows' | 'runShort'> }
  readonly listener: Pick<ExecutionListener, 'log'>
}

/** Node ids have no spaces: no relation is called so. */
const markedName = (relationId: string): string => `_marked ${relationId}`

/** Makes a source's rows readable with their numbers, too; `rows` is what its relation reads. */
export const numberSource = async (
  session: Pick<Session, 'runShort'>,
  { plan, standsAs }: RunRowIds,
  relationId: string,
  { rows, rowNumber }: { readonly rows: string; readonly rowNumber: string }
): Promise<void> => {
  const name = markedName(relationId)
  const number = `TRY_CAST(${rowNumber} AS UINTEGER) AS ${quoteName(plan.rowColumn)}`
  await session.runShort(`CREATE TEMP VIEW ${quoteName(name)} AS SELECT *, ${number} FROM ${rows}`)
  standsAs.set(relationId, name)
}

/** Rows that stand without marks, where others count on them: of these nothing is known. */
export const markUnknown = async (
  session: Pick<Session, 'runShort'>,
  rowIds: RunRowIds,
  relationId: string
): Promise<void> => {
  const marks = rowIds.plan.marks.get(relationId)
  if (marks === undefined) return
  const name = markedName(relationId)
  const unknown = marks.map((mark) => `CAST(NULL AS UINTEGER) AS ${quoteName(mark)}`)
  await session.runShort(
    `CREATE TEMP VIEW ${quoteName(name)} AS SELECT *, ${unknown.join(', ')} FROM ${quoteName(relationId)}`
  )
  rowIds.standsAs.set(relationId, name)
}

const notKept =
  'Which rows its rows came from is not kept here: carrying that along, the engine would give them in another order. They are explained by their values.'

/**
 * A relation's query with marks; undefined where there are none, or where the engine would carry it out otherwise than
 * without them, so that rows might come in another order.
 */
const markedQuery = async (
  { place, plan, tables, rowIds, listener }: Marking,
  relationId: string,
  asSent: (query: string, marks: readonly string[]) => string
): Promise<{ readonly query: string; readonly marks: readonly string[] } | undefined> => {
  const marks = rowIds?.plan.marks.get(relationId)
  if (rowIds === undefined || marks === undefined) return undefined
  const query = asSent(toQuery(rowIds.plan, relationId, tables, rowIds.standsAs), marks)
  const plain = asSent(toQuery(plan, relationId, tables), [])
  if ((await planShape(place.session, query)) === (await planShape(place.session, plain)))
    return { query, marks }
  const { nodeId = null } = plan.relations.find(({ id }) => id === relationId) ?? {}
  await listener.log({ nodeId, level: 'info', message: notKept })
  return undefined
}

/** The query by which a relation's rows are written down with their marks, which come last. */
export const markedRows = (run: Marking, relationId: string, columns: readonly Column[]) =>
  markedQuery(run, relationId, (query, marks) => toArrowQuery(query, [...columns, ...marks.map(typedMark)]))

/**
 * Keeps a relation's rows as a table, with their marks where it has some; `keep` makes a table of a query's rows under a
 * name, or answers with null where there are too many.
 */
export const keepMarked = async (
  run: Marking,
  { id, columns }: { readonly id: string; readonly columns: readonly Column[] },
  most: number,
  keep: (name: string, query: string) => Promise<number | null>
): Promise<number | null> => {
  const { place, plan, tables, rowIds } = run
  // As many as may be kept are asked for, and one more; so it is compared, too.
  const marked = await markedQuery(run, id, (query) => `${query} LIMIT ${most + 1}`)
  if (rowIds === undefined || marked === undefined) {
    const rows = await keep(id, toQuery(plan, id, tables))
    if (rowIds !== undefined && rows !== null) await markUnknown(place.session, rowIds, id)
    return rows
  }
  const name = markedName(id)
  const rows = await keep(name, toQuery(rowIds.plan, id, tables, rowIds.standsAs))
  if (rows === null) return null
  const own = nameList(columns.map((column) => column.name))
  await place.session.runShort(`CREATE TEMP VIEW ${quoteName(id)} AS SELECT ${own} FROM ${quoteName(name)}`)
  rowIds.standsAs.set(id, name)
  return rows
}
