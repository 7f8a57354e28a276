import { z } from 'zod'

export const ColumnName = z.string().min(1).max(300)
/** Its text is checked as an expression later, so that the problem says what is wrong with it. */
export const Expression = z.string().max(20_000)
export const ExpressionByColumn = z.record(ColumnName, Expression)
/** The names of a node's ports, in part the person's. */
export const PortName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_ -]{0,63}$/, 'a letter or _, then letters, digits, _, - or spaces')
