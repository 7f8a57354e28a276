import type { AnswerColumn, RequestPlan } from '../http/request.ts'
import { ENGINE_TYPES, quoteName, quoteText } from '../sql-text.ts'
import type { Column } from '../value-type.ts'
import type { Compiled, Compiling, Reached } from './node-type.ts'

type Asking = {
  readonly per: 'row' | 'distinct' | 'once'
  readonly plan: RequestPlan
  readonly input: Reached
  /** The columns that the templates name. */
  readonly asked: readonly Column[]
  /** The columns that tell requests apart. */
  readonly keys: readonly Column[]
  /** The column that gets the place of an answer's row among those of its answer. */
  readonly indexTo?: string | undefined
}

/** The text of a value; a zoned timestamp's is that of its moment in UTC. */
const asText = ({ name, engineType }: Column): string =>
  engineType === 'TIMESTAMP WITH TIME ZONE'
    ? `CAST(make_timestamp(epoch_us(${quoteName(name)})) AS VARCHAR)`
    : `CAST(${quoteName(name)} AS VARCHAR)`

/** One text for several values that no others give: each behind its length, NULL apart from every text. */
const hashOf = (columns: readonly Column[]): string => {
  const parts = columns.map(
    (column) => `coalesce(length(${asText(column)}) || ':' || ${asText(column)}, '-')`
  )
  return `sha256(${parts.length === 0 ? `''` : parts.join(` || ',' || `)})`
}

const text = (name: string): Column => ({ name, type: 'text', engineType: 'VARCHAR' })
const integer = (name: string): Column => ({ name, type: 'integer', engineType: 'INTEGER' })

/** A name that no column has. */
const freeName = (columns: readonly Column[], wanted: string): string =>
  columns.some(({ name }) => name.toLowerCase() === wanted) ? freeName(columns, `${wanted}_`) : wanted

/** The rows as they came, each with its number and the key of its request. */
const keyedSql = ({ per, input, keys }: Asking, at: string, key: string): string => {
  const numbered = `SELECT *, row_number() OVER () AS ${quoteName(at)} FROM ${quoteName(input.relation)}`
  if (per === 'once') return `SELECT *, 'once' AS ${quoteName(key)} FROM (${numbered}) AS "_rows"`
  if (per === 'distinct')
    return `SELECT *, ${hashOf(keys)} AS ${quoteName(key)} FROM (${numbered}) AS "_rows"`
  // Equal rows are asked for one by one; which of them is which does not matter.
  const among = `row_number() OVER (PARTITION BY ${hashOf(keys)} ORDER BY ${quoteName(at)})`
  return `SELECT *, ${hashOf(keys)} || '/' || ${among} AS ${quoteName(key)} FROM (${numbered}) AS "_rows"`
}

/** One row a request, in the order of the rows: `_key`, and the values for the templates as text. */
const requestsSql = ({ per, asked }: Asking, keyed: string, at: string, key: string): string => {
  if (per === 'once') return `SELECT 'once' AS "_key"`
  const values = asked.map((column, index) => `${asText(column)} AS "_${index}"`)
  const list = [`${quoteName(key)} AS "_key"`, ...values].join(', ')
  const by = [quoteName(key), ...asked.map(({ name }) => quoteName(name))].join(', ')
  return `SELECT ${list} FROM ${quoteName(keyed)} GROUP BY ${by} ORDER BY min(${quoteName(at)})`
}

type Read = { readonly column: AnswerColumn; readonly raw: string; readonly misfit: string | null }

const readAnswers = (columns: readonly AnswerColumn[]): readonly Read[] =>
  columns.map((column, index) => {
    const raw = `"_answers"."_${index}"`
    const type = ENGINE_TYPES[column.type]
    const misfit = type === 'VARCHAR' ? null : `(${raw} IS NOT NULL AND TRY_CAST(${raw} AS ${type}) IS NULL)`
    return { column, raw, misfit }
  })

const valueSql = ({ column, raw }: Read, strictly: boolean): string => {
  const type = ENGINE_TYPES[column.type]
  const cast = type === 'VARCHAR' ? raw : `${strictly ? 'CAST' : 'TRY_CAST'}(${raw} AS ${type})`
  return `${cast} AS ${quoteName(column.name)}`
}

/** Why an answer cannot be used; NULL where it can. */
const reasonSql = (reads: readonly Read[]): string => {
  const whens = reads.flatMap(({ column, raw, misfit }) =>
    misfit === null
      ? []
      : [
          `WHEN ${misfit} THEN ${quoteText(`The answer's "${column.name}" is no ${column.type}: `)} || left(${raw}, 100)`
        ]
  )
  return `CASE WHEN "_answers"."_error" IS NOT NULL THEN "_answers"."_error" ${whens.join(' ')} END`
}

/**
 * The relations of a node that asks a service. `keyed` and `requests` become tables, so that what was asked and what is
 * put beside the answers are the same rows; `answers` is filled by whoever sends the requests.
 */
export const compileRelations = async (
  asking: Asking,
  compiling: Compiling
): Promise<Compiled | undefined> => {
  const { plan, input, asked } = asking
  const at = freeName(input.columns, '_at')
  const key = freeName(input.columns, '_key')
  const keyed = compiling.relationOf('_keyed')
  const requests = compiling.relationOf('_requests')
  const answers = compiling.relationOf('_answers')
  const sql = keyedSql(asking, at, key)
  const described = await compiling.describe('', sql, [input])
  if (described === undefined) return undefined
  const answerColumns = [
    text('_key'),
    integer('_index'),
    integer('_status'),
    text('_error'),
    ...plan.columns.map((_, index) => text(`_${index}`))
  ]
  const over: readonly Reached[] = [
    { relation: keyed, columns: described.columns },
    { relation: answers, columns: answerColumns }
  ]

  const reads = readAnswers(plan.columns)
  const own = input.columns.map(({ name }) => `"_keyed".${quoteName(name)}`)
  const from = `FROM ${quoteName(keyed)} AS "_keyed" JOIN ${quoteName(answers)} AS "_answers" ON "_answers"."_key" = "_keyed".${quoteName(key)}`
  const order = `ORDER BY "_keyed".${quoteName(at)}, "_answers"."_index"`
  const reason = reasonSql(reads)
  const values = reads.map((read) => valueSql(read, plan.onError === 'fail'))
  const place = asking.indexTo === undefined ? [] : [`"_answers"."_index" AS ${quoteName(asking.indexTo)}`]
  const marks =
    plan.onError === 'keep' ? [`${reason} AS ${quoteName(freeName(input.columns, '_error'))}`] : []
  const passes = plan.onError === 'reject' ? `WHERE (${reason}) IS NULL` : ''
  const out = await compiling.describe(
    '',
    `SELECT ${[...own, ...values, ...place, ...marks].join(', ')} ${from} ${passes} ${order}`,
    over
  )

  const plain = input.columns.filter(({ name }) => !['_status', '_reason'].includes(name.toLowerCase()))
  const gone = [
    ...plain.map(({ name }) => `"_keyed".${quoteName(name)}`),
    ...place,
    `"_answers"."_status"`,
    `${reason} AS "_reason"`
  ]
  const leaves = plan.onError === 'reject' ? `(${reason}) IS NOT NULL` : 'false'
  const rejected = await compiling.describe(
    '',
    `SELECT ${gone.join(', ')} ${from} WHERE ${leaves} ${order}`,
    over
  )
  if (out === undefined || rejected === undefined) return undefined
  return {
    inner: [
      { port: '_keyed', sql, columns: described.columns, dependsOn: [input.relation] },
      {
        port: '_requests',
        sql: requestsSql(asking, keyed, at, key),
        columns: [text('_key'), ...asked.map((_, index) => text(`_${index}`))],
        dependsOn: [keyed]
      },
      {
        port: '_answers',
        sql: null,
        columns: answerColumns,
        dependsOn: [requests],
        external: { from: requests, values: asked.map(({ name, type }) => ({ name, type })), plan }
      }
    ],
    ports: { out, rejected }
  }
}
