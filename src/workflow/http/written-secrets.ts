import { isSecretHeader, isSecretParameter, MASK } from './masking.ts'

const HOLE = /\{\{[^{}]*\}\}/g
const SCHEME = /^\s*(basic|bearer|token)\b/i

/** Does a text hold anything itself, beside what it takes from columns and the name of a scheme? */
const isWritten = (text: string): boolean => text.replaceAll(HOLE, '').replace(SCHEME, '').trim() !== ''

/** A header with a secret in it that is written there, not taken from a column. */
export const isWrittenSecret = (name: string, value: string): boolean =>
  isSecretHeader(name) && isWritten(value)

const PARAMETER = /([?&])([^=&#]*)=([^&#]*)/g
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const withoutHeaders = (headers: unknown): unknown =>
  isRecord(headers)
    ? Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          typeof value === 'string' && isWrittenSecret(name, value) ? MASK : value
        ])
      )
    : headers

const withoutParameters = (path: unknown): unknown =>
  typeof path === 'string'
    ? path.replaceAll(PARAMETER, (pair, mark: string, name: string, value: string) =>
        isSecretParameter(decoded(name)) && isWritten(value) ? `${mark}${name}=${MASK}` : pair
      )
    : path

/** The spec of an HTTP node for a file that leaves: what looks like a secret in its headers and its path is masked. */
export const withoutWrittenSecrets = (
  spec: Readonly<Record<string, unknown>>
): Readonly<Record<string, unknown>> => {
  const { request } = spec
  if (!isRecord(request)) return spec
  const headers = 'headers' in request ? { headers: withoutHeaders(request['headers']) } : {}
  const path = 'path' in request ? { path: withoutParameters(request['path']) } : {}
  return { ...spec, request: { ...request, ...headers, ...path } }
}

/** Names of the headers and parameters that are still masked, and so have no value. */
export const maskedNames = ({
  path,
  headers = {}
}: {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>> | undefined
}): { readonly headers: readonly string[]; readonly parameters: readonly string[] } => ({
  headers: Object.keys(headers).filter((name) => headers[name] === MASK),
  parameters: Array.from(path.matchAll(PARAMETER)).flatMap(([, , name = '', value]) =>
    value === MASK ? [decoded(name)] : []
  )
})
