/** What stands in the place of a secret wherever a request is kept or shown. */
export const MASK = '***'

const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-csrf-token'
])
/** Names that mean a secret, alone or between hyphens and underscores: `x-api-key`, `access_token`, `clientSecret`. */
const SECRET_WORDS =
  /(^|[^a-z])(api[-_]?key|apikey|subscription[-_]?key|access[-_]?key|auth|token|secret|password|passwd|pwd|signature|sig|session|sid|jwt|credential|credentials|key)([^a-z]|$)/
const split = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()

const looksSecret = (name: string): boolean => SECRET_WORDS.test(split(name))
/** A key that tells requests apart opens nothing. */
const OPEN_HEADERS: ReadonlySet<string> = new Set(['idempotency-key'])

export const isSecretHeader = (name: string): boolean =>
  SECRET_HEADERS.has(name.toLowerCase()) || (looksSecret(name) && !OPEN_HEADERS.has(name.toLowerCase()))

export const isSecretParameter = (name: string): boolean => looksSecret(name)

export type Headers = Readonly<Record<string, string>>

export const maskHeaders = (headers: Headers): Headers =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isSecretHeader(name) ? MASK : value])
  )

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const maskQuery = (query: string): string =>
  query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=')
      const name = at === -1 ? pair : pair.slice(0, at)
      return at !== -1 && isSecretParameter(decoded(name)) ? `${name}=${MASK}` : pair
    })
    .join('&')

/** An address without who asks and without parameters that look like secrets; the rest as it was written. */
export const maskUrl = (text: string): string => {
  const bare = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${MASK}@`)
  const at = bare.indexOf('?')
  if (at === -1) return bare
  const [query = '', ...fragment] = bare.slice(at + 1).split('#')
  return [bare.slice(0, at + 1) + maskQuery(query), ...fragment].join('#')
}

const maskJson = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(maskJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSecretParameter(name) && member !== null ? MASK : maskJson(member)
    ])
  )
}

/** A body as it may be kept: members and fields that look like secrets are masked. */
export const maskBody = (body: string, contentType: string | undefined): string => {
  if (/x-www-form-urlencoded/i.test(contentType ?? '')) return maskQuery(body)
  if (!/"[^"]*"\s*:/.test(body)) return body
  try {
    const value: unknown = JSON.parse(body)
    const masked = maskJson(value)
    // Written anew only where something was masked: otherwise it stays as it was, digit by digit.
    return JSON.stringify(masked) === JSON.stringify(value) ? body : JSON.stringify(masked)
  } catch {
    return body
  }
}
