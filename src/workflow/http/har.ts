import type { KeptRequest } from './curl.ts'

/** What HAR is made of: a request and what came of it. */
export type HarSource = {
  readonly request: KeptRequest
  readonly startedAt: string
  readonly ms: number | null
  readonly comment: string
  /** Null where none came. */
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly contentType: string
    readonly size: number
    /** Null where the body was not kept or is no text. */
    readonly text: string | null
  } | null
}

const pairs = (values: Iterable<readonly [string, string]>) =>
  Array.from(values, ([name, value]) => ({ name, value }))

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

const queryOf = (url: string) => {
  const query = /\?([^#]*)/.exec(url)?.[1] ?? ''
  const parts = query === '' ? [] : query.split('&')
  return pairs(
    parts.map((part): [string, string] => {
      const [name = '', ...value] = part.split('=')
      return [decoded(name), decoded(value.join('='))]
    })
  )
}

const toEntry = ({ request, startedAt, ms, response, comment }: HarSource) => {
  const type = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  return {
    startedDateTime: startedAt,
    time: ms ?? 0,
    request: {
      method: request.method,
      url: request.url,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: pairs(Object.entries(request.headers)),
      queryString: queryOf(request.url),
      ...(request.body === null ? {} : { postData: { mimeType: type ?? '', text: request.body } }),
      headersSize: -1,
      bodySize: request.body === null ? 0 : -1
    },
    // Viewers show status 0 as a request that failed.
    response: {
      status: response?.status ?? 0,
      statusText: '',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: pairs(Object.entries(response?.headers ?? {})),
      content: {
        size: response?.size ?? 0,
        mimeType: response?.contentType ?? '',
        ...(response?.text == null ? {} : { text: response.text })
      },
      redirectURL: '',
      headersSize: -1,
      bodySize: response?.size ?? -1
    },
    cache: {},
    timings: { send: 0, wait: ms ?? 0, receive: 0 },
    ...(comment === '' ? {} : { comment })
  }
}

/** Requests as an HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/), secrets masked as they were kept. */
export const toHar = (sources: readonly HarSource[], version: string, comment = '') => ({
  log: {
    version: '1.2',
    creator: { name: 'FlowForge', version },
    entries: sources.map(toEntry),
    ...(comment === '' ? {} : { comment })
  }
})
