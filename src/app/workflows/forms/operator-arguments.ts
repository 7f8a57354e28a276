import type { OperatorParameter } from '../../../workflow/catalog/operator-spec.ts'
import { asRecord, asText } from '../graph/spec-reading.ts'

/** An argument as it is typed: a value, or `$name` for one of the workflow's parameters. */
export const readArgument = (argument: unknown): string => {
  const { parameter } = asRecord(argument)
  return typeof parameter === 'string' ? `$${parameter}` : asText(argument)
}

/** What is typed, as the step keeps it. What does not fit the type stays text, so that the check can name it. */
export const toArgument = (type: OperatorParameter['type'], typed: string): unknown => {
  if (typed === '') return undefined
  if (/^\$[A-Za-z_][A-Za-z0-9_]*$/.test(typed)) return { parameter: typed.slice(1) }
  if (type === 'boolean' && (typed === 'true' || typed === 'false')) return typed === 'true'
  const isNumeric = type === 'number' || type === 'integer'
  const number = Number(typed)
  // A whole number that a double cannot hold keeps its digits as text.
  return isNumeric && String(number) === typed && (type === 'number' || Number.isSafeInteger(number))
    ? number
    : typed
}
