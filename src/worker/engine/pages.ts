import { RecordBatchReader } from 'apache-arrow'
import type { Plan } from '../../workflow/plan-types.ts'
import { toQuery } from '../../workflow/query.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import type { Column } from '../../workflow/value-type.ts'
import type { Page } from '../api.ts'
import { toRows } from './arrow-rows.ts'
import type { ComputeEngine, PreparedSource, PreparedSources } from './compute-engine.ts'
import { toArrowQuery } from './duckdb-types.ts'
import { FlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import { neededFor, preparedSource, provideSource, setParameters } from './plan-session.ts'
import type { Session } from './session.ts'
import { provideAnswers } from './service-answers.ts'
import type { Sessions, Workplace } from './sessions.ts'
import type { SourceTables } from './source-tables.ts'
import { fillFromStored } from './stored-relations.ts'

type Parts = {
  readonly blobStore: BlobStorePort
  readonly sessions: Sessions
  readonly tables: SourceTables
}

export const pageColumns = (columns: readonly Column[]): Page['columns'] =>
  columns.map(({ name, type }) => ({ name, type }))

/** A query's rows, as a `Page` holds them. */
export const fetchRows = async (
  session: Session,
  query: string,
  columns: readonly Column[]
): Promise<Page['rows']> => {
  const parts: Uint8Array[] = []
  for await (const part of session.stream(toArrowQuery(query, columns))) parts.push(part)
  return [...RecordBatchReader.from(parts)].flatMap((batch) => toRows(batch, columns, 0, batch.numRows))
}

export const sourcePage =
  ({ sessions, tables }: Parts): ComputeEngine['page'] =>
  ({ source, offset, limit }) =>
    sessions.work({}, async (place) => {
      const { columns, rows: total } = source
      const relation = await tables.relation(place, source)
      const rows = await fetchRows(place.session, `FROM ${relation} LIMIT ${limit} OFFSET ${offset}`, columns)
      return { columns: pageColumns(columns), rows, total }
    })

export const sourceNulls =
  ({ sessions, tables }: Parts): ComputeEngine['nullCounts'] =>
  ({ source }) =>
    sessions.work({}, async (place) => {
      const relation = await tables.relation(place, source)
      const counts = source.columns.map(
        ({ name }, at) => `(count(*) - count(${quoteName(name)}))::DOUBLE AS n${at}`
      )
      const [row] = await place.session.rows(`SELECT ${counts.join(', ')} FROM ${relation}`)
      return source.columns.map((_, at) => Number(row?.[`n${at}`]))
    })

const provideNeeded = async (
  place: Workplace,
  tables: SourceTables,
  { plan, relation, sources }: { plan: Plan; relation: string; sources: PreparedSources }
): Promise<ReadonlyMap<string, PreparedSource>> => {
  const needed = neededFor(plan, [relation])
  const provided = new Map<string, PreparedSource>()
  for (const { id, source } of plan.relations) {
    if (source === null || !needed.has(id)) continue
    const prepared = preparedSource(sources, source.dataSourceId, source.options)
    await provideSource(place, tables, id, prepared)
    provided.set(id, prepared)
  }
  return provided
}

export const relationPreview =
  ({ blobStore, sessions, tables }: Parts): ComputeEngine['preview'] =>
  ({ plan, relation, limit, sources, known: stored = new Map(), signal, ask }) =>
    sessions.work({ signal }, async (place) => {
      const { session } = place
      const planned = plan.relations.find(({ id }) => id === relation)
      if (planned === undefined) {
        throw new FlowForgeError('NOT_FOUND', 'There is no such output in this workflow.', { relation })
      }
      await setParameters(session, plan.parameters)
      const needed = neededFor(plan, [relation])
      const provided = await provideNeeded(place, tables, { plan, relation, sources })
      const given = new Set(provided.keys())
      for (const { id, columns } of plan.relations) {
        const rows = stored.get(id)
        if (rows === undefined || !needed.has(id)) continue
        await fillFromStored(session, blobStore, { id, columns }, rows)
        given.add(id)
      }
      await provideAnswers(session, plan, needed, given, ask, place.signal)
      const query = toQuery(plan, relation, given)
      const rows = await fetchRows(session, `FROM (${query}) LIMIT ${limit}`, planned.columns)
      const columns = pageColumns(planned.columns)
      const known =
        provided.get(relation)?.rows ??
        stored.get(relation)?.rows ??
        (rows.length < limit ? rows.length : undefined)
      if (known !== undefined) return { columns, rows, total: known }
      const [counted] = await session.rows(`SELECT count(*)::DOUBLE AS "rows" FROM (${query})`)
      return { columns, rows, total: Number(counted?.['rows']) }
    })
