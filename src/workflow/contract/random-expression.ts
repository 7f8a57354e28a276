// oxlint-disable no-restricted-imports -- drawn by a library that tests alone know
import type fc from 'fast-check'
import { quoteName, quoteText } from '../sql-text.ts'

export type Value = null | number | string | boolean
export type Values = Readonly<Record<string, Value>>
export type Kind = 'integer' | 'text'
export type Shape = Readonly<Record<string, Kind>>

/** Draws one value; shrinks as fast-check does. */
export type Draw = fc.GeneratorValue

/** An expression as text, and what it means for a row: said anew, so that it shares nothing with the engine. */
export type Meaning = { readonly sql: string; readonly of: (row: Values) => Value }
/** The same for an aggregate over rows. */
export type GroupMeaning = {
  readonly sql: string
  readonly kind: Kind
  readonly of: (rows: readonly Values[]) => Value
}

/** What the meaning of an expression throws where the engine cannot compute it for a row. */
export class RowFailure extends Error {}

/** What every text of a generated graph means. */
export type Meanings = {
  readonly scalars: Map<string, Meaning['of']>
  readonly aggregates: Map<string, GroupMeaning['of']>
}

const TEXTS = ['', 'x', 'y', `it's`, '"'] as const

export type Grammar = {
  readonly value: (shape: Shape, kind: Kind, depth?: number) => Meaning
  readonly condition: (shape: Shape, depth?: number) => Meaning
  readonly aggregate: (shape: Shape) => GroupMeaning
  /** Text read as a number, which most texts are not; in one case of two only where a condition asks for it. */
  readonly risky: (shape: Shape) => Meaning
  readonly pick: <T>(items: readonly T[]) => T
  readonly number: (min: number, max: number) => number
}

const namesOf = (shape: Shape, kind: Kind): readonly string[] =>
  Object.keys(shape).filter((name) => shape[name] === kind)

const both =
  (a: Meaning, b: Meaning, compute: (x: Value, y: Value) => Value): Meaning['of'] =>
  (row) => {
    const [x, y] = [a.of(row), b.of(row)]
    return x === null || y === null ? null : compute(x, y)
  }

const compare = (a: Value, b: Value): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a) < String(b) ? -1 : String(a) === String(b) ? 0 : 1
}

/** A small grammar of expressions, drawn at random. NULL is what SQL makes of it: unknown. */
export const createGrammar = (
  draw: Draw,
  arbitraries: {
    readonly index: (max: number) => fc.Arbitrary<number>
    readonly between: (min: number, max: number) => fc.Arbitrary<number>
  },
  meanings: Meanings
): Grammar => {
  const number = (min: number, max: number): number => draw(() => arbitraries.between(min, max))
  const pick = <T>(items: readonly T[]): T => {
    const item = items[draw(() => arbitraries.index(Math.max(items.length - 1, 0)))]
    if (item === undefined) throw new Error('Nothing to choose from.')
    return item
  }

  const note = (meaning: Meaning): Meaning => {
    meanings.scalars.set(meaning.sql, meaning.of)
    return meaning
  }

  const leaf = (shape: Shape, kind: Kind): Meaning => {
    const names = namesOf(shape, kind)
    if (names.length > 0 && number(0, 3) > 0) {
      const name = pick(names)
      return { sql: quoteName(name), of: (row) => row[name] ?? null }
    }
    if (kind === 'integer') {
      const value = number(-2, 3)
      return { sql: `${value}`, of: () => value }
    }
    const value = pick(TEXTS)
    return { sql: quoteText(value), of: () => value }
  }

  const choice = (shape: Shape, kind: Kind, depth: number): Meaning => {
    const when = conditionOf(shape, depth - 1)
    const yes = valueOf(shape, kind, depth - 1)
    const no = valueOf(shape, kind, depth - 1)
    return {
      sql: `CASE WHEN ${when.sql} THEN ${yes.sql} ELSE ${no.sql} END`,
      of: (row) => (when.of(row) === true ? yes.of(row) : no.of(row))
    }
  }

  const first = (shape: Shape, kind: Kind, depth: number): Meaning => {
    const [a, b] = [valueOf(shape, kind, depth - 1), valueOf(shape, kind, depth - 1)]
    return { sql: `coalesce(${a.sql}, ${b.sql})`, of: (row) => a.of(row) ?? b.of(row) }
  }

  const sum = (shape: Shape, depth: number): Meaning => {
    const op = pick(['+', '-'] as const)
    const [a, b] = [valueOf(shape, 'integer', depth - 1), valueOf(shape, 'integer', depth - 1)]
    const compute = (x: Value, y: Value): Value =>
      op === '+' ? Number(x) + Number(y) : Number(x) - Number(y)
    return { sql: `((${a.sql}) ${op} (${b.sql}))`, of: both(a, b, compute) }
  }

  const joined = (shape: Shape, depth: number): Meaning => {
    const [a, b] = [valueOf(shape, 'text', depth - 1), valueOf(shape, 'text', depth - 1)]
    return { sql: `((${a.sql}) || (${b.sql}))`, of: both(a, b, (x, y) => `${x}${y}`) }
  }

  const told = (shape: Shape, depth: number): Meaning => {
    const a = valueOf(shape, 'integer', depth - 1)
    return {
      sql: `CAST(${a.sql} AS VARCHAR)`,
      of: (row) => {
        const value = a.of(row)
        return value === null ? null : String(value)
      }
    }
  }

  const measured = (shape: Shape, depth: number): Meaning => {
    const a = valueOf(shape, 'text', depth - 1)
    return {
      sql: `length(${a.sql})`,
      of: (row) => {
        const value = a.of(row)
        return value === null ? null : String(value).length
      }
    }
  }

  const valueOf = (shape: Shape, kind: Kind, depth: number): Meaning => {
    if (depth <= 0) return leaf(shape, kind)
    const forms = [leaf, choice, first] as const
    const own = kind === 'integer' ? [sum, measured] : [joined, told]
    const at = number(0, forms.length + own.length - 1)
    const general = forms[at]
    if (general !== undefined) return general(shape, kind, depth)
    return pick(own)(shape, depth)
  }

  const comparison = (shape: Shape, depth: number): Meaning => {
    const kind = pick(['integer', 'text'] as const)
    const op = pick(['=', '<>', '<', '>='] as const)
    const [a, b] = [valueOf(shape, kind, depth - 1), valueOf(shape, kind, depth - 1)]
    const holds = {
      '=': (c: number) => c === 0,
      '<>': (c: number) => c !== 0,
      '<': (c: number) => c < 0,
      '>=': (c: number) => c >= 0
    }
    return { sql: `(${a.sql}) ${op} (${b.sql})`, of: both(a, b, (x, y) => holds[op](compare(x, y))) }
  }

  const conditionOf = (shape: Shape, depth: number): Meaning => {
    const form = depth <= 0 ? 0 : number(0, 4)
    if (form <= 1) return comparison(shape, depth)
    if (form === 2) {
      const a = valueOf(shape, pick(['integer', 'text'] as const), depth - 1)
      return { sql: `(${a.sql}) IS NULL`, of: (row) => a.of(row) === null }
    }
    if (form === 3) {
      const a = conditionOf(shape, depth - 1)
      return {
        sql: `NOT (${a.sql})`,
        of: (row) => {
          const value = a.of(row)
          return value === null ? null : value !== true
        }
      }
    }
    const op = pick(['AND', 'OR'] as const)
    const [a, b] = [conditionOf(shape, depth - 1), conditionOf(shape, depth - 1)]
    const decisive = op === 'OR'
    return {
      sql: `((${a.sql}) ${op} (${b.sql}))`,
      of: (row) => {
        const values = [a.of(row), b.of(row)]
        if (values.includes(decisive)) return decisive
        return values.includes(null) ? null : !decisive
      }
    }
  }

  const present = (rows: readonly Values[], value: Meaning): readonly Exclude<Value, null>[] =>
    rows.flatMap((row) => value.of(row) ?? [])

  const aggregate = (shape: Shape): GroupMeaning => {
    const noted = (meaning: GroupMeaning): GroupMeaning => {
      meanings.aggregates.set(meaning.sql, meaning.of)
      return meaning
    }
    const form = number(0, 5)
    if (form === 0) return noted({ sql: 'count(*)', kind: 'integer', of: (rows) => rows.length })
    const kind: Kind = form === 5 || form === 1 ? pick(['integer', 'text'] as const) : 'integer'
    const value = valueOf(shape, kind, 1)
    if (form === 1) {
      const sql = `count(DISTINCT ${value.sql})`
      return noted({ sql, kind: 'integer', of: (rows) => new Set(present(rows, value)).size })
    }
    const total = (rows: readonly Values[]): Value => {
      const values = present(rows, value)
      return values.length === 0 ? null : values.reduce((sumOf: number, each) => sumOf + Number(each), 0)
    }
    if (form === 2) return noted({ sql: `CAST(sum(${value.sql}) AS INTEGER)`, kind, of: total })
    if (form === 3) {
      const where = conditionOf(shape, 1)
      const of = (rows: readonly Values[]): Value => total(rows.filter((row) => where.of(row) === true))
      return noted({ sql: `CAST(sum(${value.sql}) FILTER (WHERE ${where.sql}) AS INTEGER)`, kind, of })
    }
    const name = pick(['min', 'max'] as const)
    const of = (rows: readonly Values[]): Value => {
      const sorted = [...present(rows, value)].toSorted(compare)
      return (name === 'min' ? sorted.at(0) : sorted.at(-1)) ?? null
    }
    return noted({ sql: `${name}(${value.sql})`, kind, of })
  }

  const risky = (shape: Shape): Meaning => {
    const text = valueOf(shape, 'text', 1)
    const read: Meaning = {
      sql: `CAST(${text.sql} AS INTEGER)`,
      of: (row) => {
        const value = text.of(row)
        if (value === null) return null
        if (!/^-?[0-9]+$/.test(String(value))) throw new RowFailure(String(value))
        return Number(value)
      }
    }
    if (number(0, 1) === 0) return note(read)
    const when = conditionOf(shape, 1)
    return note({
      sql: `CASE WHEN ${when.sql} THEN ${read.sql} ELSE 0 END`,
      of: (row) => (when.of(row) === true ? read.of(row) : 0)
    })
  }

  return {
    risky,
    value: (shape, kind, depth = 2) => note(valueOf(shape, kind, depth)),
    condition: (shape, depth = 2) => note(conditionOf(shape, depth)),
    aggregate,
    pick,
    number
  }
}
