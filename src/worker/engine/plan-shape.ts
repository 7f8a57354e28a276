import { z } from 'zod'
import type { Session } from './session.ts'

type Operator = {
  readonly name: string
  readonly extra_info?: Readonly<Record<string, unknown>> | undefined
  readonly children?: readonly Operator[] | undefined
}
const Operator: z.ZodType<Operator> = z.lazy(() =>
  z.object({
    name: z.string(),
    extra_info: z.record(z.string(), z.unknown()).optional(),
    children: z.array(Operator).optional()
  })
)

/** What an operator does to rows and their order; what it carries along is left out. */
const TELLING = ['Table', 'Function', 'Join Type', 'Conditions', 'Filters', 'Top', 'Order By', 'Expression']

/** Operators that pass rows on as they come, and in the same portions. */
const PASSING: ReadonlySet<string> = new Set(['PROJECTION', 'STREAMING_WINDOW'])

const shapeOf = ({ name, extra_info: info = {}, children = [] }: Operator): unknown => {
  const [only] = children
  if (PASSING.has(name.trim()) && children.length === 1 && only !== undefined) return shapeOf(only)
  return [name.trim(), ...TELLING.map((key) => info[key] ?? null), ...children.map(shapeOf)]
}

/**
 * How the engine would carry a query out, as far as the order of the rows and their portions hang on it: two queries of
 * one shape that differ in what their rows carry along give the same rows in the same order.
 */
export const planShape = async (session: Pick<Session, 'rows'>, query: string): Promise<string> => {
  const [row] = await session.rows(`EXPLAIN (FORMAT JSON) ${query}`)
  const plans = z.array(Operator).parse(JSON.parse(String(row?.['explain_value'])))
  return JSON.stringify(plans.map(shapeOf))
}
