import { z } from 'zod'
import type { Column } from '../../workflow/value-type.ts'
import { ownValue } from '../../workflow/own-value.ts'
import type { CsvDialect } from './compute-engine.ts'
import { readCsv, sniffQuery } from './csv-dialect.ts'
import { toColumn, typedColumn } from './duckdb-types.ts'
import type { SourceOptions } from './source-options.ts'
import type { Session } from './session.ts'
import { withLongLines } from './source-tables.ts'

export type Sniffed = {
  readonly dialect: CsvDialect
  /** The file's beginning has no quotes: `"` is taken for granted. */
  readonly quoteIsGuessed: boolean
  readonly columns: readonly Column[]
  readonly notes: readonly string[]
}

const TextList = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null && Symbol.iterator in value
      ? Array.from(value as Iterable<unknown>)
      : value,
  z.array(z.string())
)
const Answer = z.object({
  delimiter: z.string(),
  quote: z.string(),
  escape: z.string(),
  skip: z.number(),
  header: z.boolean(),
  dates: z.string().nullable(),
  timestamps: z.string().nullable(),
  names: TextList,
  types: TextList
})
type Answer = z.infer<typeof Answer>

const EMPTY = '(empty)'
const HEAD_BYTES = 64 * 1024
/** Rows whose text is looked at for digits that a number would lose. */
const LOOKED_AT = 20_000

type Ask = {
  readonly delimiter?: string | undefined
  readonly quote?: string | undefined
  readonly escape?: string | undefined
  readonly header?: boolean | undefined
  readonly sample?: number | undefined
}

const ask = async (session: Session, path: string, told: Ask, quotedNulls: boolean): Promise<Answer> =>
  withLongLines(async (lineBytes) => {
    const [row] = await session.rows(sniffQuery(path, { ...told, quotedNulls, lineBytes }))
    return Answer.parse(row)
  })

/** Lines of the file's beginning, as they stand. */
const firstLines = async (blob: Blob): Promise<readonly string[]> => {
  const head = new TextDecoder().decode(await blob.slice(0, HEAD_BYTES).arrayBuffer())
  return head.split(/\r\n|\n|\r/)
}

/** The delimiter that stands most often outside quotes in a line; undefined where none does. */
const likelyDelimiter = (line: string, quote: string): string | undefined => {
  const bare =
    quote === ''
      ? line
      : line
          .split(quote)
          .filter((_, at) => at % 2 === 0)
          .join('')
  const counted = [',', ';', '\t', '|'].map((mark) => ({ mark, count: bare.split(mark).length - 1 }))
  return counted.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count)[0]?.mark
}

/** How many cells stand between two of these, as far as a line says. */
const countEnclosed = (lines: readonly string[], delimiter: string, quote: string): number =>
  lines
    .flatMap((line) => line.split(delimiter))
    .filter((cell) => cell.length > 1 && cell.startsWith(quote) && cell.endsWith(quote)).length

const hasQuotedCell = (lines: readonly string[], delimiter: string): boolean =>
  countEnclosed(lines, delimiter, '"') > 0

/** Apostrophes in texts are taken for quotes where they stand at the ends of cells, although others are in quotes. */
const isApostrophe = (lines: readonly string[], { quote, delimiter }: Answer): boolean =>
  quote === "'" &&
  hasQuotedCell(lines, delimiter) &&
  countEnclosed(lines, delimiter, '"') >= countEnclosed(lines, delimiter, "'")

/** Dates are read in ISO form alone: `03/04/2024` is two different days in two countries, so it stays text. */
const isIso = (format: string | null): boolean =>
  format === null || format === '' || format.startsWith('%Y-%m-%d')

const toColumns = ({ names, types, dates, timestamps }: Answer): { columns: Column[]; notes: string[] } => {
  const notes: string[] = []
  const columns = names.map((name, index) => {
    const column = toColumn(name, types[index] ?? 'VARCHAR')
    const format = column.type === 'date' ? dates : column.type === 'timestamp' ? timestamps : null
    if (isIso(format)) return column
    notes.push(`Column "${name}" is text: its dates are not in the form YYYY-MM-DD.`)
    return typedColumn(name, 'text')
  })
  return { columns, notes }
}

const LOSES_SIGNS = `'^\\s*(\\+|[-+]?0[0-9])'`
/** More digits than a double holds, as it writes itself. An integer column holds all of its own. */
const LOSES_DIGITS = `'[1-9](\\.?[0-9]){17,}'`
/** The engine takes `infinity` and `epoch` for dates. */
const IS_WORD = `'^\\s*[-+]?[a-zA-Z]'`

/** A test of one column's text, true where its type would not give back what is written. */
const lossTest = (value: string, { type }: Column): string => {
  if (type === 'date' || type === 'timestamp') return `regexp_matches(${value}, ${IS_WORD})`
  // `0.5` has a leading zero, too.
  const signs = `(regexp_matches(${value}, ${LOSES_SIGNS}) AND NOT regexp_matches(${value}, '^\\s*[-+]?0[.eE]'))`
  return type === 'integer' ? signs : `(${signs} OR regexp_matches(${value}, ${LOSES_DIGITS}))`
}

const LOOKED_INTO: ReadonlySet<string> = new Set(['integer', 'number', 'date', 'timestamp'])

/** Numbers that would not come back as they are written (02134, +49 30, twenty digits) stay text; infinite ones are no dates. */
const keepDigits = async (
  session: Session,
  path: string,
  dialect: CsvDialect,
  columns: readonly Column[]
): Promise<{ columns: readonly Column[]; notes: string[] }> => {
  const numeric = columns.filter(({ type }) => LOOKED_INTO.has(type))
  if (numeric.length === 0) return { columns, notes: [] }
  // Columns by place: their names may be anything.
  const asText = columns.map((_, index) => ({
    name: `c${index}`,
    type: 'text' as const,
    engineType: 'VARCHAR'
  }))
  const tests = numeric.map((column, at) => {
    const value = `c${columns.indexOf(column)}`
    return `bool_or(${lossTest(value, column)}) AS t${at}, bool_and(try_cast(${value} AS DOUBLE) IS NOT NULL) AS n${at}`
  })
  const [row] = await withLongLines((lineBytes) =>
    session.rows(
      `SELECT ${tests.join(', ')} FROM (FROM ${readCsv(path, dialect, asText, { lineBytes })} LIMIT ${LOOKED_AT})`
    )
  )
  const losing = numeric.filter((_, at) => row?.[`t${at}`] === true)
  const areNumbers = ({ type }: Column, at: number): boolean =>
    (type === 'date' || type === 'timestamp') && row?.[`n${at}`] === true
  const better = new Map(
    losing.map((column) => [
      column.name,
      typedColumn(column.name, areNumbers(column, numeric.indexOf(column)) ? 'number' : 'text')
    ])
  )
  return {
    columns: columns.map((column) => better.get(column.name) ?? column),
    notes: [...better.values()]
      .filter(({ type }) => type === 'text')
      .map(({ name }) => `Column "${name}" is text, so that its numbers keep every digit as written.`)
  }
}

/** Names as the file has them, where they had to be changed to be told apart. */
const nameNotes = async (
  session: Session,
  path: string,
  dialect: CsvDialect,
  columns: readonly Column[]
): Promise<string[]> => {
  if (!dialect.header) return ['The first line is not a header: columns are named by their place.']
  const asText = columns.map((_, index) => ({
    name: `c${index}`,
    type: 'text' as const,
    engineType: 'VARCHAR'
  }))
  const [row] = await withLongLines((lineBytes) =>
    session.rows(`FROM ${readCsv(path, { ...dialect, header: false }, asText, { lineBytes })} LIMIT 1`)
  )
  return columns.flatMap(({ name }, index) => {
    const written = row?.[`c${index}`]
    if (typeof written !== 'string' || written.trim() === '')
      return [`Column ${index + 1} has no name; it is called "${name}".`]
    return written.trim() === name.trim()
      ? []
      : [`Column ${index + 1}, "${written}", is called "${name}" to tell it apart.`]
  })
}

type File = { readonly options: SourceOptions }

/**
 * Guesses how a file is cut into cells and which types its columns have, from its beginning or, with -1, from all of it.
 */
export const sniffCsv = async (
  session: Session,
  blob: Blob,
  { options }: File,
  sample?: number
): Promise<Sniffed> => {
  const path = await session.registerFile(blob)
  const lines = await firstLines(blob)
  const { delimiter, quote: toldQuote, escape, header } = options
  let told: Ask = { delimiter, quote: toldQuote, escape, header, sample }
  let answer = await ask(session, path, told, false)
  if (toldQuote === undefined && isApostrophe(lines, answer)) {
    told = { ...told, quote: '"' }
    answer = await ask(session, path, told, false)
  }
  const likely = likelyDelimiter(lines[0] ?? '', toldQuote ?? '"')
  const overlooked = answer.names.length === 1 || answer.skip > 0
  if (options.delimiter === undefined && overlooked && likely !== undefined && likely !== answer.delimiter) {
    // Ragged rows make the engine see one wide column, or skip lines: with the header's delimiter the scan names the line.
    answer = await asHeaderSays(session, path, told, likely, lines[0] ?? '')
  } else if (answer.skip > 0 && likely === answer.delimiter) {
    answer = await asHeaderSays(session, path, told, likely, lines[0] ?? '')
  }
  const withNulls = await ask(session, path, { ...told, delimiter: answer.delimiter }, true).catch(
    () => answer
  )
  const sameShape = withNulls.names.length === answer.names.length && withNulls.skip === answer.skip
  // Where a column is told to be text, nothing has to become NULL for its sake.
  const isOther = (type: string, at: number): boolean =>
    type !== answer.types[at] && ownValue(options.types, answer.names[at] ?? '') !== 'text'
  const quotedNulls = sameShape && withNulls.types.some(isOther)
  if (quotedNulls) answer = { ...answer, types: withNulls.types }
  const hasNoQuote = answer.quote === EMPTY || answer.quote === ''
  // A quote that is never closed makes the engine give up quotes altogether, although the file has quoted cells.
  const quoteIsGuessed = toldQuote === undefined && hasNoQuote && !hasQuotedCell(lines, answer.delimiter)
  const quote = toldQuote ?? (hasNoQuote ? '"' : answer.quote)
  const dialect: CsvDialect = {
    delimiter: answer.delimiter,
    quote,
    escape: escape ?? (answer.escape === EMPTY || answer.escape === '' ? quote : answer.escape),
    header: options.header ?? answer.header,
    skip: answer.skip,
    quotedNulls
  }
  const found = toColumns(answer)
  const kept = await keepDigits(session, path, dialect, found.columns).catch(() => ({
    columns: found.columns,
    notes: []
  }))
  const named = await nameNotes(session, path, dialect, kept.columns).catch(() => [])
  const skipped = dialect.skip > 0 ? [`The first ${dialect.skip} lines are not part of the table.`] : []
  return {
    dialect,
    quoteIsGuessed,
    columns: kept.columns,
    notes: [...skipped, ...named, ...found.notes, ...kept.notes]
  }
}

/** The dialect that a file's first line speaks of, its columns all text; the scan of the whole file will tell where it breaks. */
const asHeaderSays = async (
  session: Session,
  path: string,
  told: Ask,
  delimiter: string,
  firstLine: string
): Promise<Answer> => {
  const guess = await ask(session, path, { ...told, delimiter }, false).catch(() => undefined)
  const cells = firstLine.split(delimiter)
  if (guess !== undefined && guess.skip === 0 && guess.names.length === cells.length) return guess
  const names = cells.map((cell, index) => cell.replaceAll(/^"|"$/g, '').trim() || `column${index}`)
  return {
    delimiter,
    quote: told.quote ?? '"',
    escape: told.escape ?? told.quote ?? '"',
    skip: 0,
    header: told.header ?? true,
    dates: null,
    timestamps: null,
    names,
    types: names.map(() => 'VARCHAR')
  }
}
