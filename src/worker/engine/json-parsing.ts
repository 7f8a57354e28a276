import { TokenParser, Tokenizer } from '@streamparser/json'
import { FlowForgeError } from '../../db/ports.ts'
import { parseExactNumber } from './exact-number.ts'
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
  let found: unknown[] = []
  let position = 0
  const separator = shape === 'objects' ? { separator: '' } : {}
  const tokenizer = new Tokenizer({ stringBufferSize: 64 * 1024, ...separator })
  const parser = new TokenParser({ paths: [shape === 'array' ? '$.*' : '$'], keepStack: false, ...separator })
  // The library's type allows doubles alone; it passes on whatever this answers.
  Object.defineProperty(tokenizer, 'parseNumber', { value: parseExactNumber })
  tokenizer.onToken = (token) => {
    position = token.offset
    parser.write(token)
  }
  parser.onValue = ({ value }) => void found.push(value)
  const feed = async (work: () => void): Promise<void> => {
    try {
      work()
    } catch (thrown) {
      const told = thrown instanceof Error ? /position "(\d+)"/.exec(thrown.message)?.[1] : undefined
      throw await broken(blob, fileName, told === undefined ? position : Number(told), thrown)
    }
  }
  for await (const chunk of chunksOf(blob)) {
    await feed(() => tokenizer.write(chunk))
    yield* found
    found = []
  }
  position = blob.size
  await feed(() => {
    if (!tokenizer.isEnded) tokenizer.end()
    if (!parser.isEnded) parser.end()
  })
  yield* found
}
