import type { DuckDBBindings } from '@duckdb/duckdb-wasm/blocking'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A word of a statement; `isQuoted` where it can only be a name. */
type Word = { readonly text: string; readonly isQuoted: boolean }

const WORD = /^(?:"((?:[^"]|"")*)"|([A-Za-z_]\w*))/

/**
 * The names and keywords of a statement, in order, as DuckDB's own tokenizer finds them: what stands in text, in
 * comments and in numbers is not among them.
 */
const wordsOf = (bindings: DuckDBBindings, sql: string): Word[] => {
  const bytes = encoder.encode(sql)
  const { offsets } = bindings.tokenize(sql)
  return offsets.flatMap((start, index) => {
    const found = WORD.exec(decoder.decode(bytes.subarray(start, offsets[index + 1])))
    if (found === null) return []
    const quoted = found[1]
    return [{ text: quoted?.replaceAll('""', '"') ?? String(found[2]), isQuoted: quoted !== undefined }]
  })
}

export type StatementNames = {
  /** Every word in lower case, quoted or not. */
  readonly words: ReadonlySet<string>
  /** The tables that it writes; a statement that only reads has none. */
  readonly written: readonly string[]
}

const isKeyword = (word: Word | undefined, ...keywords: readonly string[]): boolean =>
  word !== undefined && !word.isQuoted && keywords.includes(word.text.toUpperCase())

/** The name behind `at`; of `schema.table` the last part. Words have no dots between them, so it may be a schema's. */
const nameAt = (words: readonly Word[], at: number): string[] => {
  const word = words[at]
  return word === undefined ? [] : [word.text]
}

const writtenBy = (words: readonly Word[]): string[] =>
  words.flatMap((word, at) => {
    const next = words[at + 1]
    if (isKeyword(word, 'INTO')) return nameAt(words, at + 1)
    if (isKeyword(word, 'UPDATE')) return isKeyword(next, 'SET') ? [] : nameAt(words, at + 1)
    if (isKeyword(word, 'DELETE') && isKeyword(next, 'FROM')) return nameAt(words, at + 2)
    if (isKeyword(word, 'TRUNCATE')) return nameAt(words, isKeyword(next, 'TABLE') ? at + 2 : at + 1)
    return []
  })

/** Which names stand in a statement, and which tables it writes. */
export const namesIn = (bindings: DuckDBBindings, sql: string): StatementNames => {
  const words = wordsOf(bindings, sql)
  return { words: new Set(words.map(({ text }) => text.toLowerCase())), written: writtenBy(words) }
}
