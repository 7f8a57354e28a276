import { FlowForgeError } from '../../db/ports.ts'
import type { ParameterValues } from '../../workflow/graph.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import { sourceKey, type PreparedSource, type PreparedSources } from './compute-engine.ts'
import type { Session } from './session.ts'
import type { Workplace } from './sessions.ts'
import { numberSource, type RunRowIds } from './row-ids.ts'
import { isTable, rowNumberIn, type SourceTables } from './source-tables.ts'

const variableType = (value: ParameterValues[string]): string => {
  if (typeof value === 'boolean') return 'BOOLEAN'
  return typeof value === 'number' ? 'DOUBLE' : 'VARCHAR'
}

/** Sets the session's variables that the plan's SQL reads. The values are bound: none ever stands in a statement's text. */
export const setParameters = async (session: Session, parameters: ParameterValues): Promise<void> => {
  for (const [name, value] of Object.entries(parameters)) {
    await session.runShort(`CREATE OR REPLACE TEMP TABLE "_parameter" (v ${variableType(value)})`)
    await session.bind('INSERT INTO "_parameter" VALUES (?)', [value])
    await session.runShort(`SET VARIABLE ${quoteName(name)} = (SELECT v FROM "_parameter")`)
  }
}

export const preparedSource = (
  sources: PreparedSources,
  dataSourceId: string,
  options: Readonly<Record<string, unknown>>
): PreparedSource => {
  const prepared = sources.get(sourceKey(dataSourceId, options))
  if (prepared !== undefined) return prepared
  throw new FlowForgeError('NOT_FOUND', 'A data source of this workflow is not in the catalog any more.', {
    dataSourceId
  })
}

/** Ids of the relations that a relation reads, at any distance, and its own. */
export const neededFor = (plan: Plan, relationIds: readonly string[]): ReadonlySet<string> => {
  const needed = new Set(relationIds)
  for (const relation of plan.relations.toReversed()) {
    if (needed.has(relation.id)) for (const id of relation.dependsOn) needed.add(id)
  }
  return needed
}

/** Makes one source relation of the plan readable under its id, and with its rows' numbers where they are kept. */
export const provideSource = async (
  place: Workplace,
  tables: SourceTables,
  relationId: string,
  prepared: PreparedSource,
  rowIds?: RunRowIds
): Promise<void> => {
  const rows = await tables.relation(place, prepared)
  const view = `CREATE TEMP VIEW ${quoteName(relationId)} AS FROM ${rows}`
  // Over a table of the engine's own there is nothing that could fail; a file may have gone.
  if (isTable(rows)) place.session.runAhead(view)
  else await place.session.runShort(view)
  if (rowIds === undefined) return
  await numberSource(place.session, rowIds, relationId, { rows, rowNumber: rowNumberIn(rows) })
}
