import type { Bound } from '../sqlite/sqlite-database.ts'

const textLiteral = (text: string): string => {
  const quoted = `'${text.replaceAll(`'`, `''`)}'`
  // The engine takes its SQL up to the first NUL.
  return text.includes('\0') ? `(${quoted.replaceAll('\0', `' || chr(0) || '`)})` : quoted
}

const numberLiteral = (value: number): string => {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '0' : String(value)
  if (Number.isFinite(value)) return `CAST('${value}' AS DOUBLE)`
  return `CAST('${value > 0 ? 'inf' : '-inf'}' AS DOUBLE)`
}

/**
 * A value as the argument of EXECUTE, the one way in which bytes and integers beyond 2^53 reach a prepared statement:
 * duckdb-wasm binds what JSON can hold. A literal is an argument, never part of the statement.
 */
export const toLiteral = (value: Bound): string => {
  switch (typeof value) {
    case 'string':
      return textLiteral(value)
    case 'number':
      return numberLiteral(value)
    case 'bigint':
      return String(value)
    case 'object':
      return value === null
        ? 'NULL'
        : `unhex('${[...value].map((byte) => byte.toString(16).padStart(2, '0')).join('')}')`
  }
}
