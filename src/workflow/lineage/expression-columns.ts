import { lex, type Token } from '../expression-lexer.ts'
import { sameName } from '../sql-text.ts'

/** A column that an expression names, and what it does there. */
export type NamedColumn = {
  readonly name: string
  readonly role: 'value' | 'condition' | 'filter' | 'sort'
}
type Role = NamedColumn['role']
type Level = { role: Role; readonly outer: Role; readonly kind: 'bracket' | 'case' | 'if' }

const isMark = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'mark' && token.value === value
const isWord = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'word' && token.value === value

/** Words that are no column although a column may be called so: a call, a type, a part of a date, a member. */
const namesNoColumn = (
  tokens: readonly Token[],
  at: number,
  isColumn: (name: string) => boolean
): boolean => {
  const token = tokens[at]
  const before = tokens[at - 1]
  const after = tokens[at + 1]
  if (isMark(after, '(')) return true
  if (isMark(before, '.')) {
    const owner = tokens[at - 2]
    return owner !== undefined && (owner.kind === 'word' || owner.kind === 'name') && isColumn(owner.value)
  }
  if (token?.kind !== 'word') return false
  if (after?.kind === 'text' || isWord(before, 'as')) return true
  if (isMark(before, ':') && isMark(tokens[at - 2], ':')) return true
  return isWord(after, 'from') && isMark(before, '(') && isWord(tokens[at - 2], 'extract')
}

const roleInBracket = (tokens: readonly Token[], at: number, outer: Role): Level => {
  const before = tokens[at - 1]
  if (isWord(before, 'filter') && isMark(tokens[at - 2], ')'))
    return { role: 'filter', outer, kind: 'bracket' }
  if (isWord(before, 'if')) return { role: 'condition', outer, kind: 'if' }
  return { role: outer, outer, kind: 'bracket' }
}

/**
 * The columns that an expression names, in order: those whose values are in its value, those that decide which value is
 * taken, and in an aggregate those that filter or order its rows. Rather one too many than one too few.
 */
export const namedColumns = (text: string, columns: readonly string[]): readonly NamedColumn[] => {
  const lexed = lex(text)
  if (!lexed.ok) return columns.map((name) => ({ name, role: 'value' }))
  const { tokens } = lexed
  const find = (name: string): string | undefined => columns.find((column) => sameName(column, name))
  const levels: Level[] = [{ role: 'value', outer: 'value', kind: 'bracket' }]
  const found: NamedColumn[] = []
  for (const [at, token] of tokens.entries()) {
    const level = levels.at(-1)
    if (level === undefined) break
    if (token.kind === 'mark') {
      if ('([{'.includes(token.value)) levels.push(roleInBracket(tokens, at, level.role))
      else if (')]}'.includes(token.value)) levels.pop()
      else if (token.value === ',' && level.kind === 'if') level.role = level.outer
      continue
    }
    if (token.kind === 'word') {
      if (token.value === 'case') levels.push({ role: 'condition', outer: level.role, kind: 'case' })
      else if (level.kind === 'case' && token.value === 'end') levels.pop()
      else if (level.kind === 'case' && token.value === 'when') level.role = 'condition'
      else if (level.kind === 'case' && (token.value === 'then' || token.value === 'else'))
        level.role = level.outer
      else if (token.value === 'order' && isWord(tokens[at + 1], 'by')) level.role = 'sort'
    }
    if (token.kind !== 'word' && token.kind !== 'name') continue
    const name = find(token.value)
    if (name === undefined || namesNoColumn(tokens, at, (other) => find(other) !== undefined)) continue
    const role = level.role
    if (!found.some((known) => known.name === name && known.role === role)) found.push({ name, role })
  }
  return found
}

/** The column that an expression is and nothing else, if it is one. */
export const onlyColumn = (text: string, columns: readonly string[]): string | undefined => {
  const lexed = lex(text)
  const [token, ...others] = lexed.ok ? lexed.tokens : []
  if (token === undefined || others.length > 0) return undefined
  if (token.kind !== 'word' && token.kind !== 'name') return undefined
  return columns.find((column) => sameName(column, token.value))
}
