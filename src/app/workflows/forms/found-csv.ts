import { z } from 'zod'
import { CsvDialect, TextEncoding } from '../../../workflow/data-source/csv-reading.ts'

const Config = z.object({
  prepared: z.object({
    reader: z.object({ type: z.literal('csv'), dialect: CsvDialect, encoding: TextEncoding.optional() })
  })
})
export type FoundCsv = z.infer<typeof Config>['prepared']['reader']

/** How a data source's file is read, from its configuration; null for what is no CSV file. */
export const toFoundCsv = (configJson: unknown): FoundCsv | null =>
  typeof configJson === 'string'
    ? (Config.safeParse(JSON.parse(configJson)).data?.prepared.reader ?? null)
    : null

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

/** What stands where nothing was chosen: what was found in the file, by its label. */
export const asFound = (choices: readonly Choice[], found: string | undefined): string => {
  const label = choices.find(({ value }) => value === found)?.label ?? found
  return label === undefined ? 'As found' : `As found: ${label}`
}
