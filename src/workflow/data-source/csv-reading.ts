import { z } from 'zod'

/** How a text file's bytes become letters, as far as files are told apart; labels of the platform's `TextDecoder`. */
export const TextEncoding = z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'])
export type TextEncoding = z.infer<typeof TextEncoding>

/** The engine takes one byte for a mark. */
const Mark = z.string().regex(/^[\x21-\x7e]$/, 'one ASCII character')

/** What a source node's `options` may say of a CSV file; what they leave out is found out from the file. */
export const csvOptions = {
  delimiter: z.string().min(1).max(4).optional(),
  header: z.boolean().optional(),
  /** Encloses a cell that holds a delimiter or a line break; empty where nothing does. */
  quote: z.union([Mark, z.literal('')]).optional(),
  /** Stands before a quote inside a quoted cell; the quote itself where quotes are doubled. */
  escape: Mark.optional(),
  encoding: TextEncoding.optional()
}

type Marks = {
  readonly delimiter?: string | undefined
  readonly quote?: string | undefined
  readonly escape?: string | undefined
}

/** Refuses marks of which one could be taken for another. */
export const marksDiffer = ({ delimiter, quote, escape }: Marks, context: z.RefinementCtx): void => {
  const refuse = (key: keyof Marks, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message })
  if (delimiter === undefined) return
  if (delimiter === quote) refuse('quote', 'The delimiter and the quote must differ.')
  if (delimiter === escape) refuse('escape', 'The delimiter and the escape must differ.')
}

/** How a CSV file is cut into cells. */
export const CsvDialect = z.strictObject({
  delimiter: z.string(),
  quote: z.string(),
  escape: z.string(),
  header: z.boolean(),
  /** Lines before the header. */
  skip: z.int().min(0),
  /** Are quoted empty cells NULL (true), or empty text (false)? */
  quotedNulls: z.boolean()
})
