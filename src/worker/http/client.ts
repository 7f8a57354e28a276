import { FlowForgeError } from '../../db/ports.ts'
import {
  classifyNoAnswer,
  isMixedContent,
  notFollowed,
  timedOut,
  type Failure
} from '../../workflow/http/failure.ts'
import { goesAlong } from '../../workflow/http/masking.ts'
import type { Request } from '../../workflow/http/request.ts'
import type { Net } from './net.ts'

/** Bytes that an answer may have; what is larger belongs into a data source. */
const LARGEST_ANSWER = 64 * 1024 * 1024

/** What came back of one attempt. */
export type Sent =
  | {
      readonly answered: true
      readonly status: number
      readonly ok: boolean
      readonly headers: Readonly<Record<string, string>>
      readonly bytes: Uint8Array<ArrayBuffer>
      readonly ms: number
    }
  | { readonly answered: false; readonly failure: Failure; readonly ms: number }

export type Client = {
  /** Sends once. A failure is a value; a cancel is thrown. @throws FlowForgeError `CANCELED` */
  send(
    request: Request,
    /** `largest`: bytes that the answer may have. */
    args: { timeoutMs: number; signal: AbortSignal; largest?: number }
  ): Promise<Sent>
  /** Tells a failure of `fetch` more exactly by asking the service for nothing in particular, once for each service. */
  explain(request: Request, failure: Failure, signal: AbortSignal): Promise<Failure>
}

class TooLarge extends Error {}

/** A browser shows nothing of a redirect that it does not follow, not even its status. */
const isRedirect = ({ type, status }: Response): boolean =>
  type === 'opaqueredirect' || [301, 302, 303, 307, 308].includes(status)

const readAll = async (response: Response, largest: number): Promise<Uint8Array<ArrayBuffer>> => {
  const parts: Uint8Array[] = []
  let size = 0
  const reader = response.body?.getReader()
  for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
    size += next.value.length
    if (size > largest) {
      await reader?.cancel()
      throw new TooLarge()
    }
    parts.push(next.value)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** What every request has in common: nothing of the browser's own goes with it, and no old answer comes back. */
const PLAIN: RequestInit = { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' }
const PROBE_TIMEOUT_MS = 5_000

/** Writes down that a service is asked whether it is there; answers with how to say what came of it. */
export type NoteProbe = (request: Request) => Promise<(ms: number, answered: boolean) => Promise<void>>

export const createClient = (net: Net, noteProbe: NoteProbe): Client => {
  const probes = new Map<string, Promise<boolean>>()

  const probe = async (origin: string, signal: AbortSignal): Promise<boolean> => {
    const url = `${origin}/`
    const ended = await noteProbe({ method: 'HEAD', url, headers: {}, body: null, idempotencyKey: null })
    const began = net.clock()
    const limited = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)])
    const answered = await net
      .fetch(url, { ...PLAIN, method: 'HEAD', mode: 'no-cors', signal: limited })
      .then(
        () => true,
        () => false
      )
    await ended(Math.round(net.clock() - began), answered)
    return answered
  }

  const send: Client['send'] = async (request, { timeoutMs, signal, largest = LARGEST_ANSWER }) => {
    const url = new URL(request.url)
    const began = net.clock()
    const passed = (): number => Math.round(net.clock() - began)
    const around = await net.surroundings()
    // A browser would refuse it without asking; this way it never looks as if it might have arrived.
    if (isMixedContent(url, around.secure)) {
      return {
        answered: false,
        failure: classifyNoAnswer(url, { ...around, answersBlindly: null }),
        ms: passed()
      }
    }
    // Where a redirect leads nobody says before it is followed.
    const redirect = Object.keys(request.headers).some(goesAlong) ? 'manual' : 'follow'
    const late = AbortSignal.timeout(timeoutMs)
    try {
      const response = await net.fetch(request.url, {
        ...PLAIN,
        method: request.method,
        redirect,
        headers: { ...request.headers },
        ...(request.body === null ? {} : { body: request.body }),
        signal: AbortSignal.any([signal, late])
      })
      if (redirect === 'manual' && isRedirect(response)) {
        await response.body?.cancel()
        return { answered: false, failure: notFollowed(url), ms: passed() }
      }
      const bytes = await readAll(response, largest)
      const { status, ok } = response
      return {
        answered: true,
        status,
        ok,
        headers: Object.fromEntries(response.headers),
        bytes,
        ms: passed()
      }
    } catch (thrown) {
      if (signal.aborted) throw new FlowForgeError('CANCELED', 'Canceled.', {}, thrown)
      if (thrown instanceof TooLarge) {
        const message = `The answer of ${url.host} is larger than ${(largest / 1024 / 1024).toLocaleString('en')} MB. Ask for less at a time, or import it as a file.`
        return { answered: false, failure: { kind: 'too-large', message, arrived: 'yes' }, ms: passed() }
      }
      if (late.aborted) return { answered: false, failure: timedOut(url, timeoutMs), ms: passed() }
      const now = await net.surroundings()
      const failure = classifyNoAnswer(url, { ...now, answersBlindly: null })
      return { answered: false, failure, ms: passed() }
    }
  }

  return {
    send,
    explain: async (request, failure, signal) => {
      if (failure.kind !== 'unreachable') return failure
      const url = new URL(request.url)
      const asked = probes.get(url.origin) ?? probe(url.origin, signal)
      probes.set(url.origin, asked)
      const answersBlindly = await asked
      return classifyNoAnswer(url, { ...(await net.surroundings()), answersBlindly })
    }
  }
}
