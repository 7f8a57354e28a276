import { FlowForgeError } from '../../db/ports.ts'
import type { Request } from '../../workflow/http/request.ts'
import { toKept } from './kept-request.ts'

/** What becomes of a node's requests, in a run. */
export type Tally = {
  sent: number
  again: number
  answered: number
  failed: number
  recorded: number
  unknown: number
}

/** A request as a person is told of it; secrets are masked. */
export const nameOf = ({ method, url }: Request): string =>
  `${method} ${toKept({ method, url, headers: {}, body: null, idempotencyKey: null }).url}`

export const ONE_KEY_TWO_REQUESTS =
  'Its idempotency key stands for another request already: two rows ask different things under one key, or the request was changed. Put what differs into the key.'

export const notRecorded = (request: Request, ledgerKey: string, runId: string): FlowForgeError =>
  new FlowForgeError(
    'NOT_FOUND',
    `${nameOf(request)} was not asked in the run that is replayed, or differs from what was asked. Start a new run to ask it.`,
    { reason: 'not-recorded', key: ledgerKey, runId }
  )

export const notAsked = (nodeId: string): FlowForgeError =>
  new FlowForgeError(
    'NOT_ALLOWED',
    'A preview sends no request, and some of these rows have not been asked for yet as they are now. Run to here to ask the service.',
    { reason: 'not-asked', nodeId }
  )

export const failedRequest = (
  nodeId: string,
  { name, message }: { name: string; message: string }
): FlowForgeError =>
  new FlowForgeError('INVALID_INPUT', `${name}: ${message}`, { reason: 'request-failed', nodeId })

export const unknownRequests = (nodeId: string, count: number): FlowForgeError => {
  const which =
    count === 1 ? '1 request may or may not have arrived' : `${count} requests may or may not have arrived`
  const message = `${which}, and sending ${count === 1 ? 'it' : 'them'} again could do the same thing twice. Decide under Requests: send again, take as done, or give up.`
  return new FlowForgeError('CONFLICT', message, { reason: 'unknown-requests', nodeId, count })
}

export const inWords = ({ sent, again, answered, failed, recorded, unknown }: Tally): string => {
  const parts = [
    `${sent.toLocaleString('en')} ${sent === 1 ? 'request' : 'requests'} sent`,
    ...(again > 0 ? [`${again.toLocaleString('en')} of them again`] : []),
    `${answered.toLocaleString('en')} answered`,
    ...(failed > 0 ? [`${failed.toLocaleString('en')} failed`] : []),
    ...(unknown > 0 ? [`${unknown.toLocaleString('en')} of unknown fate`] : []),
    ...(recorded > 0 ? [`${recorded.toLocaleString('en')} answers taken from the record`] : [])
  ]
  return `${parts.join(', ')}.`
}
