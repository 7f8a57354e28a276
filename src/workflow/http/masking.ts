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
  /(^|[^a-z])(auth|signature|sig|session|sid|jwt|pwd|key|bearer|[a-z]*(apikey|accesskey|secretkey|privatekey|token|secret|password|passwd|passphrase|authorization|sessionid|sessid|credentials?))([^a-z]|$)/
const split = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()

const looksSecret = (name: string): boolean => SECRET_WORDS.test(split(name))
/** A key that tells requests apart opens nothing. */
const OPEN_HEADERS: ReadonlySet<string> = new Set(['idempotency-key'])

export const isSecretHeader = (name: string): boolean =>
  SECRET_HEADERS.has(name.toLowerCase()) || (looksSecret(name) && !OPEN_HEADERS.has(name.toLowerCase()))

/** A browser takes these from a request itself that is sent on to another origin (Fetch, HTTP-redirect fetch, 13). */
const TAKEN_AWAY: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])
/** Would a header's secret go along to whomever a service sends on to? */
export const goesAlong = (name: string): boolean =>
  isSecretHeader(name) && !TAKEN_AWAY.has(name.toLowerCase())

export const isSecretParameter = (name: string): boolean => looksSecret(name)

export type Headers = Readonly<Record<string, string>>

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
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(bare) ?? []
  const masked = [query, fragment].map((part) => part.slice(0, 1) + maskQuery(part.slice(1)))
  return path + masked.join('')
}

/** Headers of an answer that hold an address, in which a service may repeat what it was asked with. */
const ADDRESS_HEADERS: ReadonlySet<string> = new Set(['location', 'content-location', 'refresh'])

const maskHeader = (name: string, value: string): string => {
  if (isSecretHeader(name)) return MASK
  const known = name.toLowerCase()
  if (known === 'link') return value.replaceAll(/<([^>]*)>/g, (_, url: string) => `<${maskUrl(url)}>`)
  return ADDRESS_HEADERS.has(known) ? maskUrl(value) : value
}

export const maskHeaders = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, maskHeader(name, value)]))

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
