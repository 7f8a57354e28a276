import { quoteText } from '../../workflow/sql-text.ts'
import type { Column } from '../../workflow/value-type.ts'
import type { CsvDialect } from './compute-engine.ts'

/** DuckDB's own limit; lines beyond it cost buffers of their size, so it is raised only where a file needs it. */
export const USUAL_LINE_BYTES = 2_000_000
const USUAL_BUFFER_BYTES = 16 * USUAL_LINE_BYTES
/** Longer lines than this do not fit into the engine's memory beside anything else. */
export const LONGEST_LINE_BYTES = 256 * 1024 * 1024

const limits = (lineBytes: number): string =>
  lineBytes <= USUAL_LINE_BYTES
    ? ''
    : `, max_line_size = ${lineBytes}, buffer_size = ${Math.max(USUAL_BUFFER_BYTES, 2 * lineBytes)}`

const columnTypes = (columns: readonly Column[]): string =>
  columns.map(({ name, engineType }) => `${quoteText(name)}: ${quoteText(engineType)}`).join(', ')

const escapeOf = ({ quote, escape }: CsvDialect): string => (escape === '' ? quote : escape)

/**
 * A weighed file's beginning is looked at for nothing but texts: a form of dates that the engine found in one column would
 * hold for the others, too, and those that were read as dates before would fail.
 */
const weighing = (isWeighed: boolean): string =>
  isWeighed
    ? "auto_detect = true, auto_type_candidates = ['VARCHAR'], sample_size = 1"
    : 'auto_detect = false'

/**
 * A table function that reads a registered file with a known dialect and known columns: nothing is guessed any more. Of a
 * file that `isWeighed` the engine looks at the beginning all the same, which is how it knows about how many rows there
 * are: it takes any other for 42, and a join then keeps the file in memory to look up the few rows of a table in it. Only
 * for files that have been read whole before: where one is broken it says less well.
 */
export const readCsv = (
  path: string,
  dialect: CsvDialect,
  columns: readonly Column[],
  { lineBytes = USUAL_LINE_BYTES, isWeighed = false }: { lineBytes?: number; isWeighed?: boolean } = {}
): string =>
  `read_csv(${quoteText(path)}, ${weighing(isWeighed)}, delim = ${quoteText(dialect.delimiter)}, ` +
  `quote = ${quoteText(dialect.quote)}, escape = ${quoteText(escapeOf(dialect))}, comment = '', ` +
  `header = ${dialect.header}, skip = ${dialect.skip}, nullstr = '', allow_quoted_nulls = ${dialect.quotedNulls}, ` +
  `columns = {${columnTypes(columns)}}${limits(lineBytes)})`

export type SniffOptions = {
  readonly delimiter?: string | undefined
  readonly quote?: string | undefined
  readonly escape?: string | undefined
  readonly header?: boolean | undefined
  readonly quotedNulls: boolean
  /** Lines to look at; -1 for all of them. */
  readonly sample?: number | undefined
  readonly lineBytes: number
}

/** A query whose one row is what DuckDB guesses about a file. */
export const sniffQuery = (path: string, options: SniffOptions): string => {
  const { delimiter, quote, escape, header, quotedNulls, sample, lineBytes } = options
  const told =
    (delimiter === undefined ? '' : `, delim = ${quoteText(delimiter)}`) +
    (quote === undefined ? '' : `, quote = ${quoteText(quote)}`) +
    (escape === undefined ? '' : `, escape = ${quoteText(escape)}`) +
    (header === undefined ? '' : `, header = ${header}`) +
    (sample === undefined ? '' : `, sample_size = ${sample}`)
  return (
    'SELECT Delimiter AS delimiter, "Quote" AS quote, "Escape" AS escape, SkipRows::DOUBLE AS skip, ' +
    'HasHeader AS header, CAST(DateFormat AS VARCHAR) AS dates, CAST(TimestampFormat AS VARCHAR) AS timestamps, ' +
    `list_transform(Columns, lambda c: c.name) AS names, list_transform(Columns, lambda c: c.type) AS types ` +
    `FROM sniff_csv(${quoteText(path)}, comment = '', nullstr = '', allow_quoted_nulls = ${quotedNulls}${told}${limits(lineBytes)})`
  )
}

export const isOneCharacter = (text: string): boolean => [...text].length === 1
