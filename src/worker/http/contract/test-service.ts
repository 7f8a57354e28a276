import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** When it came, in ms. */
  readonly at: number
  /** The status that was written to a caller who was still there; null for none. */
  status: number | null
  /** Whether it was answered with what was asked for. */
  answered: boolean
}

/** What the service does with the nth request (from 1) of the same method and address. */
export type Behaviour = (
  seen: Seen,
  nth: number
) =>
  | {
      readonly status?: number
      readonly headers?: Record<string, string>
      readonly body?: string
      readonly afterMs?: number
    }
  | 'drop'
  | 'hang'
  | Promise<
      | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string }
      | 'drop'
      | 'hang'
    >

/** A real service on this machine that fails in the ways that services fail, and keeps a log of its own. */
export type TestService = {
  readonly url: string
  readonly seen: Seen[]
  /** How often each address was answered with success, preflights left out. */
  served(): Map<string, number>
  behave(behaviour: Behaviour): void
  close(): Promise<void>
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

const OPEN = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*',
  'access-control-allow-methods': '*',
  'access-control-expose-headers': '*',
  'access-control-max-age': '600'
}

export const startTestService = async (first: Behaviour, { cors = true } = {}): Promise<TestService> => {
  let behaviour = first
  const seen: Seen[] = []
  const counts = new Map<string, number>()
  const open = cors ? OPEN : {}

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request
    if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
      response.writeHead(204, open).end()
      return
    }
    const entry: Seen = {
      method,
      url,
      headers,
      body: await bodyOf(request),
      at: performance.now(),
      status: null,
      answered: false
    }
    seen.push(entry)
    const name = `${method} ${url}`
    const nth = (counts.get(name) ?? 0) + 1
    counts.set(name, nth)
    const act = await behaviour(entry, nth)
    if (act === 'hang') return
    if (act === 'drop') {
      request.socket.destroy()
      return
    }
    if ('afterMs' in act) await new Promise((resolve) => setTimeout(resolve, act.afterMs))
    // Who has gone meanwhile is told nothing.
    if (request.socket.destroyed) return
    const { status = 200, headers: own = {}, body = '' } = act
    entry.status = status
    entry.answered = status < 300
    response.writeHead(status, { 'content-type': 'application/json', ...open, ...own }).end(body)
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    served: () => {
      const served = new Map<string, number>()
      for (const { method, url, answered } of seen) {
        if (answered) served.set(`${method} ${url}`, (served.get(`${method} ${url}`) ?? 0) + 1)
      }
      return served
    },
    behave: (next) => {
      behaviour = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
