/** A piece of an expression. `value` of a word is in lower case; of a quoted name or text, what stands between the quotes. */
export type Token = {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'parameter' | 'mark'
  readonly value: string
  readonly start: number
  readonly end: number
}
export type Lexed =
  { readonly ok: true; readonly tokens: readonly Token[] } | { readonly ok: false; readonly message: string }

const SPACE = /\s+/y
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy
const NUMBER = /(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y
const PARAMETER = /\$([A-Za-z_][A-Za-z0-9_]{0,63})(?![\p{L}\p{N}_$])/uy
const TEXT = /'((?:[^']|'')*)'/y
const NAME = /"((?:[^"]|"")+)"/y
const MARK = /[()[\]{},.+\-*/%^<>=!~|&:@]/y

const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(text)
}

const refused = (text: string, at: number): string => {
  const rest = text.slice(at)
  if (rest.startsWith(';')) return 'A ; is not allowed: an expression is one expression, not statements.'
  if (rest.startsWith('--') || rest.startsWith('/*')) return 'Comments are not allowed in an expression.'
  if (rest.startsWith("'")) return "A text that begins with ' has no closing '."
  if (rest.startsWith('""')) return 'A quoted name cannot be empty.'
  if (rest.startsWith('"')) return 'A name that begins with " has no closing ".'
  if (rest.startsWith('$')) {
    return 'A $ begins the name of a parameter, such as $limit; dollar-quoted text is not allowed.'
  }
  return `The character ${JSON.stringify(rest.slice(0, 1))} is not allowed here.`
}

const isComment = (text: string, at: number): boolean =>
  text.startsWith('--', at) || text.startsWith('/*', at)

const readAt = (text: string, at: number): Token | null => {
  if (isComment(text, at)) return null
  const patterns = [
    ['parameter', PARAMETER],
    ['text', TEXT],
    ['name', NAME],
    ['number', NUMBER],
    ['word', WORD],
    ['mark', MARK]
  ] as const
  for (const [kind, pattern] of patterns) {
    const match = matchAt(pattern, text, at)
    if (match === null) continue
    const end = at + match[0].length
    const inner = match[1] ?? match[0]
    const quote = kind === 'text' ? "'" : '"'
    const quoted = kind === 'text' || kind === 'name'
    const value = quoted
      ? inner.replaceAll(quote + quote, quote)
      : kind === 'word'
        ? inner.toLowerCase()
        : inner
    return { kind, value, start: at, end }
  }
  return null
}

const unbalanced = (tokens: readonly Token[]): string | null => {
  const open: string[] = []
  for (const { kind, value } of tokens) {
    if (kind !== 'mark') continue
    if ('([{'.includes(value)) open.push(value)
    const opener = CLOSES[value]
    if (opener !== undefined && open.pop() !== opener) return `The ${value} closes nothing.`
  }
  const last = open.at(-1)
  return last === undefined ? null : `The ${last} is not closed.`
}

/**
 * Cuts an expression into pieces, so strictly that what the engine reads can be nothing else: it refuses comments, `;`,
 * dollar quotes, escape texts (`E'…'`), control characters and brackets that do not close.
 */
export const lex = (text: string): Lexed => {
  const tokens: Token[] = []
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff]/.test(text)) {
    return { ok: false, message: 'Control characters are not allowed in an expression.' }
  }
  let at = 0
  while (at < text.length) {
    const space = matchAt(SPACE, text, at)
    if (space !== null) {
      at += space[0].length
      continue
    }
    const token = readAt(text, at)
    if (token === null) return { ok: false, message: refused(text, at) }
    const before = tokens.at(-1)
    const touches = before?.end === token.start
    if (touches && before.kind === 'word' && token.kind === 'text') {
      return {
        ok: false,
        message: `Text with a prefix (${before.value}'…') is not allowed; leave a space or use chr().`
      }
    }
    if (touches && before.kind === 'word' && token.kind === 'parameter') {
      return { ok: false, message: 'A $ inside a name is not allowed; quote the name.' }
    }
    tokens.push(token)
    at = token.end
  }
  const message = unbalanced(tokens)
  return message === null ? { ok: true, tokens } : { ok: false, message }
}
