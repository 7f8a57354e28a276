import { ParameterDefinition, type Parameters, type ParameterValues } from '../../../workflow/graph.ts'

export const PARAMETER_TYPES = ParameterDefinition.shape.type.options
export type ParameterType = ParameterDefinition['type']
export const isParameterType = (text: string): text is ParameterType =>
  PARAMETER_TYPES.some((type) => type === text)
export const isParameterName = (text: string): boolean => /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(text)

/** What was typed, as a value of the type; `null` for nothing. What does not fit stays text, and the check names it. */
export const toParameterValue = (type: ParameterType, text: string): string | number | boolean | null => {
  const trimmed = text.trim()
  if (trimmed === '') return null
  if (type === 'boolean') return trimmed === 'true' ? true : trimmed === 'false' ? false : trimmed
  if (type === 'number' || type === 'integer') {
    const value = Number(trimmed)
    // Beyond 2^53 a number would lose digits; text keeps them.
    return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : trimmed
  }
  return type === 'text' ? text : trimmed
}

export const hasDefaults = (parameters: Parameters): boolean =>
  Object.values(parameters).every((definition) => definition.default !== undefined)

/** The values of a run, from what was typed for each parameter; nothing typed leaves it to its default. */
export const toParameterValues = (
  parameters: Parameters,
  typed: Readonly<Record<string, string>>
): ParameterValues =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([name, { type }]) => {
      const value = toParameterValue(type, typed[name] ?? '')
      return value === null ? [] : [[name, value]]
    })
  )
