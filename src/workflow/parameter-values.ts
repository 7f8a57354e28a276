import type { ParameterDefinition, ParameterValues, Parameters } from './graph.ts'

const isDay = (text: string): boolean => {
  const found = /^(\d{4}-\d{2}-\d{2})/.exec(text)?.[1]
  if (found === undefined) return false
  const day = new Date(`${found}T00:00:00Z`)
  // 31 February would be taken for 3 March.
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(found)
}

type Form = {
  /** What is expected, for a person. */
  readonly expected: string
  readonly fits: (value: string | number | boolean) => boolean
}

const FORMS: Readonly<Record<ParameterDefinition['type'], Form>> = {
  boolean: {
    expected: 'true or false',
    fits: (value) => typeof value === 'boolean' || value === 'true' || value === 'false'
  },
  integer: {
    expected: 'a whole number, e.g. 15',
    // Text keeps the digits that a number beyond 2^53 would lose.
    fits: (value) =>
      typeof value === 'number' ? Number.isSafeInteger(value) : /^[+-]?\d{1,19}$/.test(String(value))
  },
  number: {
    expected: 'a number, e.g. 1.5',
    fits: (value) =>
      typeof value === 'number'
        ? Number.isFinite(value)
        : typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
  },
  text: { expected: 'text', fits: (value) => typeof value === 'string' },
  date: {
    expected: 'a date, e.g. 2026-11-24',
    fits: (value) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && isDay(value)
  },
  timestamp: {
    expected: 'a date and time, e.g. 2026-11-24 13:30:00',
    fits: (value) =>
      typeof value === 'string' &&
      isDay(value) &&
      /^.{10}([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$/.test(value)
  }
}

export type ParameterProblem = { readonly parameter: string; readonly message: string }

/** What keeps `given` from being values of the parameters: names that are not defined, values that are not of the type. */
export const parameterProblems = (definitions: Parameters, given: ParameterValues): ParameterProblem[] =>
  Object.entries(given).flatMap(([name, value]) => {
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined
    if (definition === undefined) {
      return [{ parameter: name, message: `This workflow has no parameter "${name}".` }]
    }
    const { expected, fits } = FORMS[definition.type]
    return value === null || fits(value)
      ? []
      : [
          {
            parameter: name,
            message: `The parameter "${name}" must be ${expected}, not ${JSON.stringify(value)}.`
          }
        ]
  })
