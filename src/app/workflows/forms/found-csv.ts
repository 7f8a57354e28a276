import { z } from 'zod'
import { CsvDialect, TextEncoding } from '../../../workflow/data-source/csv-reading.ts'

const Reader = z.object({
  type: z.literal('csv'),
  dialect: CsvDialect,
  encoding: TextEncoding.optional()
})
const Config = z.object({
  options: z.record(z.string(), z.unknown()).optional(),
  prepared: z.object({ reader: Reader })
})

type CsvKey = 'delimiter' | 'quote' | 'escape' | 'header' | 'encoding'

type Found = { readonly value: string | boolean; readonly isTold: boolean }

/** What stands for a CSV file's options where none is chosen: found in the file, or told when it was added. */
export type FoundCsv = Readonly<Partial<Record<CsvKey, Found>>>

const foundIn = (
  { dialect, encoding = 'utf-8' }: z.infer<typeof Reader>,
  told: Readonly<Record<string, unknown>>
): Readonly<Record<CsvKey, Found>> => {
  const found = (key: CsvKey, value: string | boolean): Found => ({ value, isTold: told[key] !== undefined })
  return {
    delimiter: found('delimiter', dialect.delimiter),
    quote: found('quote', dialect.quote),
    escape: found('escape', dialect.escape),
    header: found('header', dialect.header),
    encoding: found('encoding', encoding)
  }
}

/** How a data source's file is read, from its configuration; null for what is no CSV file. */
export const toFoundCsv = (configJson: unknown): FoundCsv | null => {
  if (typeof configJson !== 'string') return null
  const config = Config.safeParse(JSON.parse(configJson)).data
  return config === undefined ? null : foundIn(config.prepared.reader, config.options ?? {})
}

/** How a file was read that is only tried, without what it was told in that try. */
export const toTriedCsv = (reader: unknown, told: Readonly<Record<string, unknown>>): FoundCsv | null => {
  const parsed = Reader.safeParse(reader).data
  if (parsed === undefined) return null
  return Object.fromEntries(Object.entries(foundIn(parsed, told)).filter(([, { isTold }]) => !isTold))
}

export type Choice = { readonly value: string; readonly label: string }

export const DELIMITERS: readonly Choice[] = [
  { value: ',', label: 'Comma' },
  { value: ';', label: 'Semicolon' },
  { value: '\t', label: 'Tab' },
  { value: '|', label: 'Bar' }
]
/** Stands for the empty text, which a list of choices takes for none. */
export const NO_QUOTE = 'none'
export const QUOTES: readonly Choice[] = [
  { value: '"', label: 'Double quote "' },
  { value: "'", label: "Single quote '" },
  { value: NO_QUOTE, label: 'Nothing' }
]
export const ESCAPES: readonly Choice[] = [
  { value: '"', label: 'Another double quote ""' },
  { value: "'", label: "Another single quote ''" },
  { value: '\\', label: 'Backslash \\' }
]
export const ENCODINGS: readonly Choice[] = [
  { value: 'utf-8', label: 'UTF-8' },
  { value: 'windows-1252', label: 'Windows-1252 (Western European)' },
  { value: 'utf-16le', label: 'UTF-16, little-endian' },
  { value: 'utf-16be', label: 'UTF-16, big-endian' }
]
export const HEADERS: readonly Choice[] = [
  { value: 'yes', label: 'Yes' },
  { value: 'no', label: 'No' }
]

/** The value that a list of choices has for an option's. */
export const toChoice = (value: unknown): string => {
  if (value === '') return NO_QUOTE
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'string' ? value : ''
}

/** What stands where nothing was chosen: what was found in the file or told of it, by its label. */
export const asFound = (choices: readonly Choice[], found: Found | undefined): string => {
  if (found === undefined) return 'As found'
  const value = toChoice(found.value)
  const label = choices.find((choice) => choice.value === value)?.label ?? value
  return `${found.isTold ? 'As added' : 'As found'}: ${label}`
}

const WORDS: Readonly<Record<string, readonly [string, readonly Choice[]]>> = {
  delimiter: ['delimiter', DELIMITERS],
  quote: ['cells enclosed by', QUOTES],
  escape: ['a quote behind', ESCAPES],
  header: ['names in the first line', HEADERS],
  encoding: ['encoding', ENCODINGS]
}

/** Options in a person's words, one by one. */
export const toldWords = (options: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(options).map(([key, value]) => {
    const [word, choices] = WORDS[key] ?? [key, []]
    const chosen = typeof value === 'object' ? Object.keys(value ?? {}).join(', ') : toChoice(value)
    return `${word}: ${choices.find((choice) => choice.value === chosen)?.label ?? chosen}`
  })
