/** Every way in which a call at FlowForge's doors can fail; see `toWireError` for how a code crosses a worker's boundary. */
export const ERROR_CODES = [
  'INVALID_INPUT',
  'NOT_ALLOWED',
  'NOT_FOUND',
  'CONFLICT',
  'STORAGE_FULL',
  'STORAGE_UNAVAILABLE',
  'CORRUPT',
  'TIMEOUT',
  'CANCELED',
  'WORKER_LOST',
  'INTERNAL'
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** JSON-like facts that a program can act on: zod's issues, the seq that was found, the line of a file. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/** What an error looks like while it crosses a boundary that keeps no classes. */
export type WireError = {
  readonly name: 'FlowForgeError'
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails
}

/** A failure that names the thing, what was expected, what was found and what to do. */
export class FlowForgeError extends Error {
  override readonly name = 'FlowForgeError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

export const isFlowForgeError = (value: unknown): value is FlowForgeError => value instanceof FlowForgeError

/** Turns whatever was thrown into an error with a code; what has none is a bug and becomes `INTERNAL`, its cause kept. */
export const toFlowForgeError = (thrown: unknown): FlowForgeError => {
  if (isFlowForgeError(thrown)) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new FlowForgeError('INTERNAL', message, {}, thrown)
}

export const toWireError = (thrown: unknown): WireError => {
  const { code, message, details } = toFlowForgeError(thrown)
  return { name: 'FlowForgeError', code, message, details }
}

export const fromWireError = (wire: WireError): FlowForgeError =>
  new FlowForgeError(wire.code, wire.message, wire.details)
