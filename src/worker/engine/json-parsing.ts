import { TokenParser, Tokenizer, TokenType } from '@streamparser/json'
import { FlowForgeError } from '../../db/ports.ts'
import { parseExactNumber } from './exact-number.ts'
import { createElementCutter, MOST_DEPTH, type ElementCutter } from './json-elements.ts'
import { chunksOf } from './text-encoding.ts'

export type JsonShape =
  /** `[row, row, …]` */
  | 'array'
  /** Objects one after the other, or one alone. */
  | 'objects'

/** What a JSON file begins with says how it is read; null where it begins like neither. */
export const jsonShape = async (blob: Blob): Promise<JsonShape | null> => {
  for await (const chunk of chunksOf(blob)) {
    const first = new TextDecoder()
      .decode(chunk)
      .replace(/^\uFEFF/, '')
      .trimStart()[0]
    if (first === '[') return 'array'
    if (first === '{') return 'objects'
    if (first !== undefined) return null
  }
  return null
}

/** The line of a byte, counted from 1. */
const lineOf = async (blob: Blob, position: number): Promise<number> => {
  let line = 1
  for await (const chunk of chunksOf(blob.slice(0, position))) {
    for (const byte of chunk) if (byte === 0x0a) line += 1
  }
  return line
}

const broken = async (
  blob: Blob,
  fileName: string,
  position: number,
  cause: unknown
): Promise<FlowForgeError> => {
  const line = await lineOf(blob, position)
  const said = cause instanceof Error ? cause.message.replace(/ at position "\d+"/, '') : String(cause)
  const reason = /ended/i.test(said) ? 'it ends in the middle of a value' : said
  const message = `"${fileName}", line ${line}: this is not valid JSON (${reason}).`
  return new FlowForgeError('INVALID_INPUT', message, { fileName, line, reason: 'json', said }, cause)
}

/** Numbers of so many digits may lose some in a double. */
const MANY_DIGITS = /\d[\d.]{14,}/

const createParser = (
  shape: JsonShape,
  onValue: (value: unknown) => void,
  onOffset: (offset: number) => void
) => {
  const separator = shape === 'objects' ? { separator: '' } : {}
  const tokenizer = new Tokenizer({ stringBufferSize: 64 * 1024, ...separator })
  const parser = new TokenParser({
    paths: [shape === 'array' ? '$.*' : '$'],
    keepStack: false,
    ...separator
  })
  // The library's type allows doubles alone; it passes on whatever this answers.
  Object.defineProperty(tokenizer, 'parseNumber', { value: parseExactNumber })
  let depth = 0
  tokenizer.onToken = (token) => {
    onOffset(token.offset)
    if (token.token === TokenType.LEFT_BRACE || token.token === TokenType.LEFT_BRACKET) depth += 1
    if (token.token === TokenType.RIGHT_BRACE || token.token === TokenType.RIGHT_BRACKET) depth -= 1
    if (depth > MOST_DEPTH) throw new Error(`its values are nested more than ${MOST_DEPTH} deep`)
    parser.write(token)
  }
  parser.onValue = ({ value }) => onValue(value)
  return {
    write: (part: Uint8Array | string): void => tokenizer.write(part),
    end: (): void => {
      if (!tokenizer.isEnded) tokenizer.end()
      if (!parser.isEnded) parser.end()
    }
  }
}

const parseExactly = (text: string): unknown => {
  let found: unknown
  const parser = createParser(
    'objects',
    (value) => {
      found = value
    },
    () => undefined
  )
  parser.write(text)
  parser.end()
  return found
}

const TEXT_OR_LONG_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]{14,}/g

/** Does a number in this text have digits that a double would lose? */
const losesDigits = (text: string): boolean => {
  if (!MANY_DIGITS.test(text)) return false
  for (const [found] of text.matchAll(TEXT_OR_LONG_NUMBER)) {
    if (!found.startsWith('"') && typeof parseExactNumber(found) !== 'number') return true
  }
  return false
}

/** One JSON value; numbers lose no digit. @throws SyntaxError, or the strict parser's error */
export const parseJsonText = (text: string): unknown =>
  losesDigits(text) ? parseExactly(text) : JSON.parse(text)

/** Every value by the strict parser: slow, and exact about what is wrong. */
export const strictJsonValues = async function* (
  blob: Blob,
  fileName: string,
  shape: JsonShape
): AsyncGenerator<unknown> {
  let found: unknown[] = []
  let position = 0
  const parser = createParser(
    shape,
    (value) => void found.push(value),
    (offset) => {
      position = offset
    }
  )
  const feed = async (work: () => void): Promise<void> => {
    try {
      work()
    } catch (thrown) {
      const told = thrown instanceof Error ? /position "(\d+)"/.exec(thrown.message)?.[1] : undefined
      throw await broken(blob, fileName, told === undefined ? position : Number(told), thrown)
    }
  }
  for await (const chunk of chunksOf(blob)) {
    await feed(() => parser.write(chunk))
    yield* found
    found = []
  }
  position = blob.size
  await feed(parser.end)
  yield* found
}

/** The values that end in a chunk; null where the file is not in order. */
const cutValues = (cutter: ElementCutter, chunk: Uint8Array): readonly unknown[] | null => {
  try {
    return cutter.cut(chunk)?.map(parseJsonText) ?? null
  } catch {
    return null
  }
}

/**
 * Values of a JSON file as they come: the elements of an array, or the objects that follow each other. Numbers lose no
 * digit (see `exact-number.ts`).
 * @throws FlowForgeError `INVALID_INPUT` with the line where the file is no JSON
 */
export const jsonValues = async function* (
  blob: Blob,
  fileName: string,
  shape: JsonShape
): AsyncGenerator<unknown> {
  const cutter = createElementCutter(shape === 'array' ? 1 : 0)
  let given = 0
  let inOrder = true
  for await (const chunk of withoutMark(chunksOf(blob))) {
    const values = cutValues(cutter, chunk)
    inOrder = values !== null
    if (values === null) break
    yield* values
    given += values.length
  }
  if (inOrder && cutter.isComplete()) return
  // The strict parser says what is wrong; what it can read beyond, such as rows that are no objects, it gives.
  for await (const value of strictJsonValues(blob, fileName, shape)) {
    given -= 1
    if (given < 0) yield value
  }
}

/** Bytes without the mark that UTF-8 files may begin with. */
const withoutMark = async function* (chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for await (const chunk of chunks) {
    const marked = isFirst && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf
    isFirst = false
    yield marked ? chunk.subarray(3) : chunk
  }
}
