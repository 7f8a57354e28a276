import { RecordBatchReader } from 'apache-arrow'
import type { Plan, PlannedRelation, PlannedRequests } from '../../workflow/plan-types.ts'
import type { TemplateRow, TemplateValue } from '../../workflow/http/template.ts'
import { toQuery } from '../../workflow/query.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import { FlowForgeError } from '../../db/ports.ts'
import { toRows } from './arrow-rows.ts'
import { toArrowPiece } from './arrow-writing.ts'
import type { AnswerRow, AskedRow, AskService } from './ask-service.ts'
import { typedColumn } from './duckdb-types.ts'
import type { Session } from './session.ts'

/** Requests that are held at a time. */
const BATCH = 2_000

const columnsOf = ({ values }: PlannedRequests) =>
  ['_key', ...values.map((_, index) => `_${index}`)].map((name) => typedColumn(name, 'text'))

const toAsked = (row: Readonly<Record<string, unknown>>, { values }: PlannedRequests): AskedRow => {
  const filled = values.map(({ name, type }, index): [string, TemplateValue] => {
    const value = row[`_${index}`]
    return [name.toLowerCase(), value === null || value === undefined ? null : { text: String(value), type }]
  })
  const read: TemplateRow = new Map(filled)
  return { key: String(row['_key']), values: read }
}

/** The requests of a table, a batch at a time: a session answers one query, so none may stay open between two. */
const batchesOf = async function* (
  session: Session,
  requests: PlannedRequests,
  onRead: () => void
): AsyncGenerator<readonly AskedRow[]> {
  const columns = columnsOf(requests)
  const list = columns.map(({ name }) => quoteName(name)).join(', ')
  for (let from = 0; ; from += BATCH) {
    const query = `SELECT ${list} FROM ${quoteName(requests.from)} WHERE rowid >= ${from} AND rowid < ${from + BATCH} ORDER BY rowid`
    const parts: Uint8Array[] = []
    for await (const part of session.stream(query)) parts.push(part)
    const rows = [...RecordBatchReader.from(parts)].flatMap((batch) =>
      toRows(batch, columns, 0, batch.numRows)
    )
    onRead()
    if (rows.length > 0) yield rows.map((row) => toAsked(row, requests))
    if (rows.length < BATCH) return
  }
}

const toCells = ({ key, index, status, error, values }: AnswerRow) => [key, index, status, error, ...values]

let pieces = 0

/** Asks for all rows of one node and keeps the answers as a table; answers with how many rows they are. */
export const fillAnswers = async (
  session: Session,
  { id, nodeId, columns }: PlannedRelation,
  requests: PlannedRequests,
  ask: AskService | undefined,
  {
    signal,
    ending,
    onAsking = () => undefined,
    onAnswered
  }: {
    signal: AbortSignal
    ending?: AbortSignal
    /** The first rows have been read: from here on it is the service that is waited for. */
    onAsking?: () => void
    onAnswered: (count: number) => void
  }
): Promise<number> => {
  if (ask === undefined) {
    throw new FlowForgeError('INTERNAL', 'Nobody is there to send requests.', { nodeId })
  }
  const types = columns.map(({ name, engineType }) => `${quoteName(name)} ${engineType}`)
  await session.run(`CREATE TEMP TABLE ${quoteName(id)} (${types.join(', ')})`)
  let count = 0
  for await (const answers of ask({
    nodeId,
    requests,
    rows: batchesOf(session, requests, onAsking),
    signal,
    ending,
    onAnswered
  })) {
    if (answers.length === 0) continue
    pieces += 1
    const name = `_answers_piece_${pieces}`
    try {
      await session.insertArrow(toArrowPiece(columns, answers.map(toCells)), { name, create: true })
      await session.run(`INSERT INTO ${quoteName(id)} SELECT * FROM ${quoteName(name)}`)
    } finally {
      await session.tidy(`DROP TABLE IF EXISTS ${quoteName(name)}`)
    }
    count += answers.length
  }
  return count
}

/** Makes tables of what a relation needs of services' answers, in order; for whoever looks at that relation alone. */
export const provideAnswers = async (
  session: Session,
  plan: Plan,
  needed: ReadonlySet<string>,
  tables: Set<string>,
  ask: AskService | undefined,
  signal: AbortSignal
): Promise<void> => {
  for (const relation of plan.relations) {
    const { external } = relation
    if (external === undefined || !needed.has(relation.id)) continue
    const requests = plan.relations.find(({ id }) => id === external.from)
    for (const id of [...(requests?.dependsOn ?? []), external.from]) {
      if (tables.has(id)) continue
      await session.run(`CREATE TEMP TABLE ${quoteName(id)} AS ${toQuery(plan, id, tables)}`)
      tables.add(id)
    }
    await fillAnswers(session, relation, external, ask, { signal, onAnswered: () => undefined })
    tables.add(relation.id)
  }
}
