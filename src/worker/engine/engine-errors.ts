import { FlowForgeError, isFlowForgeError } from '../../db/ports.ts'

export const canceledError = (): FlowForgeError => new FlowForgeError('CANCELED', 'Canceled.')

export const throwIfCanceled = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true) throw canceledError()
}

/** What DuckDB says when it is beyond repair; only a new worker helps. */
const BROKEN =
  /function signature mismatch|memory access out of bounds|null function|unreachable|INTERNAL Error|table index is out of bounds|database has been invalidated/i

export const isBroken = (thrown: unknown): boolean => {
  if (isFlowForgeError(thrown) && thrown.cause !== undefined) return isBroken(thrown.cause)
  return thrown instanceof Error && BROKEN.test(thrown.message)
}

const isOutOfMemory = (message: string): boolean =>
  /out of memory|failed to allocate|bad_alloc/i.test(message)

const PREFIX =
  /^(Error: )?(Conversion|Binder|Parser|Catalog|Invalid Input|Out of Range|Not implemented|Syntax|Invalid|Serialization|Constraint|Mismatch Type|Permission|IO|Missing Extension) Error: /

/** DuckDB's words for a person: without the kind of error before them and the query's text behind. */
export const toPlainWords = (message: string): string => {
  const [said = message] = message.split(/\n\s*LINE \d+:|\nPossible (fixes|solutions):|\n\nPossible Solution/)
  const plain = said
    .replace(PREFIX, '')
    .replace(PREFIX, '')
    .replaceAll(/INT32/g, 'INTEGER')
    .replaceAll(/INT64/g, 'BIGINT')
    .trim()
  return plain === '' ? message.trim() : plain
}

/** A failure of a query as FlowForge tells it. What has a code keeps it. */
export const toEngineError = (thrown: unknown): FlowForgeError => {
  if (isFlowForgeError(thrown)) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (/query was canceled|INTERRUPT/i.test(message)) return canceledError()
  if (isOutOfMemory(message)) {
    const words =
      'There is not enough memory for this. Filter rows or drop columns earlier, work on a part of the data, or allow runs more memory in the settings.'
    return new FlowForgeError('INVALID_INPUT', words, { reason: 'out-of-memory' }, thrown)
  }
  if (isBroken(thrown)) {
    const words = 'The compute engine failed inside and is started anew. Try once more.'
    return new FlowForgeError('INTERNAL', words, { reason: 'engine-broken', engine: message }, thrown)
  }
  return new FlowForgeError(
    'INVALID_INPUT',
    toPlainWords(message),
    { reason: 'query', engine: message },
    thrown
  )
}
