import { FlowForgeError, isFlowForgeError, type ErrorCode } from '../flowforge-error.ts'

/** `Constraint Error: Duplicate key …`, or the same as JSON where a query was polled for. */
const saidBy = (thrown: unknown): { kind: string; message: string } => {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  try {
    const { exception_type: kind, exception_message: message } = JSON.parse(text) as Record<string, unknown>
    if (typeof kind === 'string' && typeof message === 'string') return { kind, message }
  } catch {
    // Not JSON: the other form.
  }
  const found = /^([A-Za-z ]+?) Error: ([^]*)$/.exec(text)
  return { kind: found?.[1] ?? '', message: found?.[2] ?? text }
}

const codeOf = (kind: string, message: string): ErrorCode => {
  switch (kind.toUpperCase().replaceAll(' ', '')) {
    case 'CONSTRAINT':
      return /duplicate key/i.test(message) ? 'CONFLICT' : 'INVALID_INPUT'
    case 'PARSER':
    case 'SYNTAX':
    case 'BINDER':
    case 'CATALOG':
    case 'CONVERSION':
    case 'INVALIDINPUT':
    case 'INVALID':
    case 'INVALIDTYPE':
    case 'OUTOFRANGE':
    case 'MISMATCHTYPE':
    case 'NOTIMPLEMENTED':
    case 'PARAMETERNOTALLOWED':
    case 'PARAMETERNOTRESOLVED':
      return 'INVALID_INPUT'
    case 'TRANSACTIONCONTEXT':
    case 'TRANSACTION':
      return /read-only/.test(message) ? 'NOT_ALLOWED' : 'INTERNAL'
    case 'PERMISSION':
      return 'NOT_ALLOWED'
    case 'OUTOFMEMORY':
      return 'STORAGE_FULL'
    case 'INTERRUPT':
      return 'TIMEOUT'
    default:
      return 'INTERNAL'
  }
}

/** What DuckDB threw, as an error of ours: told apart by what a caller can do about it, the cause kept. */
export const toDuckDBError = (thrown: unknown, sql: string): FlowForgeError => {
  if (isFlowForgeError(thrown)) return thrown
  const { kind, message } = saidBy(thrown)
  const code = codeOf(kind, message)
  const words =
    code === 'STORAGE_FULL' ? 'The memory is full. What was to be written is not kept.' : message.trim()
  return new FlowForgeError(code, words, { sql, duckdb: message }, thrown)
}
