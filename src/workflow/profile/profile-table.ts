import { quoteName } from '../sql-text.ts'
import type { Column } from '../value-type.ts'
import { QUANTILES, type ColumnProfile, type TableProfile } from './table-profile.ts'

/** Bars of a histogram. */
const BARS = 20
/** Of more rows than this, distinct values and quantiles are estimated: exact ones would hold every value in memory. */
const COUNTED_ROWS = 100_000
/** Texts are told no longer than this. */
const TOLD_CHARACTERS = 100
/** So many columns are looked at in one scan of the rows. */
const COLUMNS_A_SCAN = 50

/** Answers a query with a few rows of numbers, texts and NULL. */
type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** A column's values. Those that stand as text, because Arrow could not hold them, are read as what they are. */
const valueSql = ({ name, engineType }: Column): string => {
  const column = quoteName(name)
  if (/^U?HUGEINT$/.test(engineType)) return `CAST(${column} AS ${engineType})`
  // Without the extension for time zones a zoned timestamp has no text.
  return engineType === 'TIMESTAMP WITH TIME ZONE' ? `make_timestamp(epoch_us(${column}))` : column
}

/** A column's values as numbers, where they have any: days and moments are counted in seconds. */
const numberSql = (column: Column): string | null => {
  const value = valueSql(column)
  switch (column.type) {
    case 'integer':
    case 'number':
    case 'decimal':
      return `CASE WHEN isfinite(CAST(${value} AS DOUBLE)) THEN CAST(${value} AS DOUBLE) END`
    case 'date':
    case 'timestamp':
      return `CASE WHEN isfinite(${value}) THEN CAST(epoch(${value}) AS DOUBLE) END`
    case 'boolean':
    case 'text':
    case 'time':
    case 'json':
    case 'bytes':
      return null
  }
}

const told = (sql: string): string => `left(CAST(${sql} AS VARCHAR), ${TOLD_CHARACTERS})`

/** One row about all of the columns; what it says of each has the column's place behind its name. */
const factsSql = (columns: readonly Column[], from: string, isExact: boolean): string => {
  const inner = columns.flatMap((column, at) => {
    const value = valueSql(column)
    const number = numberSql(column)
    // Lists, structs and maps have neither an order that means something nor, always, a text.
    const isNested = column.type === 'json'
    const compared = isNested ? `hash(${value})` : value
    const present = `CASE WHEN ${quoteName(column.name)} IS NOT NULL THEN ${compared} END`
    return [
      `count(*) - count(${quoteName(column.name)}) AS "nulls${at}"`,
      `${isExact ? `count(DISTINCT ${present})` : `approx_count_distinct(${present})`} AS "distinct${at}"`,
      ...(isNested
        ? []
        : [`${told(`min(${value})`)} AS "min${at}"`, `${told(`max(${value})`)} AS "max${at}"`]),
      ...(number === null
        ? []
        : [
            `${isExact ? 'quantile_cont' : 'approx_quantile'}(${number}, [${QUANTILES.join(', ')}]) AS "quantiles${at}"`,
            `min(${number}) AS "low${at}"`,
            `max(${number}) AS "high${at}"`
          ])
    ]
  })
  const outer = columns.flatMap((column, at) => [
    `CAST("nulls${at}" AS DOUBLE) AS "nulls${at}"`,
    `CAST("distinct${at}" AS DOUBLE) AS "distinct${at}"`,
    ...(column.type === 'json' ? [] : [`"min${at}"`, `"max${at}"`]),
    ...(numberSql(column) === null
      ? []
      : [
          `"low${at}"`,
          `"high${at}"`,
          ...QUANTILES.map((_, index) => `"quantiles${at}"[${index + 1}] AS "quantile${at}_${index}"`)
        ])
  ])
  return `SELECT ${outer.join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${from})`
}

const isNumber = (value: unknown): value is number => typeof value === 'number'
const toText = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** Counts a column's values by the bar they fall into, as text: `{0=17, 3=2}`. Halves, since the width could pass what a double holds. */
const barsSql = (number: string, low: number, high: number): string => {
  if (high === low) return `'{0=' || count(${number}) || '}'`
  const [from, to] = [`CAST('${low}' AS DOUBLE) / 2`, `CAST('${high}' AS DOUBLE) / 2`]
  const bar = `floor((${number} / 2 - ${from}) / (${to} - ${from}) * ${BARS})`
  return `CAST(histogram(CAST(greatest(0, least(${BARS - 1}, ${bar})) AS INTEGER)) FILTER (${number} IS NOT NULL) AS VARCHAR)`
}

const toBars = (text: string): number[] => {
  const counts = new Map(
    [...text.matchAll(/(\d+)=(\d+)/g)].map(([, bar, count]) => [Number(bar), Number(count)])
  )
  return Array.from({ length: BARS }, (_, at) => counts.get(at) ?? 0)
}

const profileColumns = async (
  ask: Ask,
  from: string,
  columns: readonly Column[],
  isExact: boolean
): Promise<ColumnProfile[]> => {
  const [facts = {}] = await ask(factsSql(columns, from, isExact))
  const bars = columns.flatMap((column, at) => {
    const [number, low, high] = [numberSql(column), facts[`low${at}`], facts[`high${at}`]]
    return number !== null && isNumber(low) && isNumber(high)
      ? [`${barsSql(number, low, high)} AS "bars${at}"`]
      : []
  })
  const [counted = {}] = bars.length === 0 ? [] : await ask(`SELECT ${bars.join(', ')} FROM ${from}`)
  return columns.map(({ name, type }, at): ColumnProfile => {
    const quantiles = QUANTILES.map((_, index) => facts[`quantile${at}_${index}`]).filter(isNumber)
    const histogram = toText(counted[`bars${at}`])
    return {
      name,
      type,
      nulls: Number(facts[`nulls${at}`]),
      distinct: Number(facts[`distinct${at}`]),
      min: toText(facts[`min${at}`]),
      max: toText(facts[`max${at}`]),
      quantiles: quantiles.length === QUANTILES.length ? quantiles : null,
      histogram: histogram === null ? null : toBars(histogram)
    }
  })
}

/**
 * Looks at the rows of a relation, which may stand after FROM, in two scans: one for what there is, one for the
 * histograms, whose bars need the ends.
 */
export const profileTable = async (
  ask: Ask,
  from: string,
  columns: readonly Column[],
  counts: { readonly rows: number; readonly total: number }
): Promise<TableProfile> => {
  const isExact = counts.rows <= COUNTED_ROWS
  const profiles: ColumnProfile[] = []
  for (let at = 0; at < columns.length; at += COLUMNS_A_SCAN) {
    const some = columns.slice(at, at + COLUMNS_A_SCAN)
    // oxlint-disable-next-line no-await-in-loop -- one session answers one question at a time
    profiles.push(...(await profileColumns(ask, from, some, isExact)))
  }
  return { ...counts, isExact, columns: profiles }
}
