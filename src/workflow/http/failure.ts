import { z } from 'zod'

/** Why a request has no answer that can be used; told apart so that each can say what to do. */
export const FAILURE_KINDS = [
  'offline', // no network
  'unreachable', // nobody answers at the address
  'cors', // the service answers, and the browser may not show it
  'local-address', // a permission for addresses of this device or network is needed
  'mixed-content', // an unencrypted address from an encrypted page
  'timeout',
  'status', // an answer with a status that is no success
  'unreadable', // an answer that does not parse, or lacks what is asked of it
  'too-large',
  'redirect', // it sends on to another address, and a secret that goes along is for this one alone
  'given-up', // of unknown fate, and a person wants no more of it
  'template' // the row's values make no request
] as const
export const FailureKind = z.enum(FAILURE_KINDS)
export type FailureKind = z.infer<typeof FailureKind>

/** `message` says for a person what happened and what to do. `arrived`: did the service get it, as far as can be told? */
export const Failure = z.strictObject({
  kind: FailureKind,
  message: z.string(),
  arrived: z.enum(['yes', 'no', 'unknown'])
})
export type Failure = z.infer<typeof Failure>

/** What is known of the surroundings when `fetch` fails, which itself says no more than that it failed. */
export type Surroundings = {
  readonly online: boolean
  /** Is the page encrypted? */
  readonly secure: boolean
  /** Of the page's own address; a page on this device may ask this device. */
  readonly pageIsLocal: boolean
  /** The browser's permission to ask addresses of this device and network; null where it knows no such thing. */
  readonly localPermission: 'granted' | 'denied' | 'prompt' | null
  /** Does something answer at the address when nobody wants to see the answer? Null where that was not tried. */
  readonly answersBlindly: boolean | null
}

/** An address as the platform's `URL` tells its parts. */
export type Address = {
  readonly protocol: string
  readonly host: string
  readonly hostname: string
  readonly origin: string
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || host.startsWith('127.')

/** An address of this device or of the network that it is in (RFC 1918, 4193, 3927; `.local` names). */
export const isLocalHost = (host: string): boolean =>
  isLoopback(host) ||
  host.endsWith('.local') ||
  /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)/.test(host) ||
  /^\[f[cd][0-9a-f]{2}:/.test(host) ||
  /^\[fe[89ab][0-9a-f]:/.test(host)

/** Would a browser refuse this address before it asks? An encrypted page may ask unencrypted only what is on this device. */
export const isMixedContent = (url: Address, secure: boolean): boolean =>
  secure && url.protocol === 'http:' && !isLoopback(url.hostname)

/** Which failure it was that `fetch` told only as "failed". `arrived` is never certain then, but where it cannot have left. */
export const classifyNoAnswer = (url: Address, around: Surroundings): Failure => {
  const { host, origin } = url
  if (isMixedContent(url, around.secure)) {
    return {
      kind: 'mixed-content',
      message: `${origin} is not encrypted, and this page is: browsers do not let the one ask the other. Use its https address, or open FlowForge over http on this device.`,
      arrived: 'no'
    }
  }
  if (!around.online) {
    return {
      kind: 'offline',
      message: `There is no network, so ${host} could not be asked. Connect, and run it again.`,
      arrived: 'unknown'
    }
  }
  const mayNotAskLocally = around.localPermission === 'denied' || around.localPermission === 'prompt'
  if (isLocalHost(url.hostname) && !around.pageIsLocal && mayNotAskLocally) {
    return {
      kind: 'local-address',
      message: `${host} is in your own network, and the browser lets a page ask there only with your permission. Allow "local network access" for this page in the browser's settings for the site, and run it again.`,
      arrived: 'no'
    }
  }
  if (around.answersBlindly === true) {
    return {
      kind: 'cors',
      message: `${host} answers, but does not let this page read it (CORS). Whoever runs it must send "Access-Control-Allow-Origin" for this page's address, and allow the headers that are sent; or ask through a server that does.`,
      arrived: 'unknown'
    }
  }
  return {
    kind: 'unreachable',
    message: `${host} did not answer: the connection was refused or broke off, or there is no such name. Check the address and whether the service is running.`,
    arrived: 'unknown'
  }
}

export const notFollowed = ({ host }: Address): Failure => ({
  kind: 'redirect',
  message: `${host} sends on to another address, and the key in the request's headers is for it alone, so nobody followed. Write the address that it leads to, often with or without a / at its end.`,
  arrived: 'yes'
})

export const timedOut = (url: Address, timeoutMs: number): Failure => ({
  kind: 'timeout',
  message: `${url.host} did not answer within ${(timeoutMs / 1_000).toLocaleString('en')} s. Raise the time-out, or ask for less at a time.`,
  arrived: 'unknown'
})

const ADVICE: Readonly<Record<number, string>> = {
  400: 'It did not understand the request: look at its answer under Requests.',
  401: 'It wants to know who asks: check the header with the key or token.',
  403: 'It knows who asks and does not allow it: check what the key may do.',
  404: 'There is nothing at this address: check the path and the values in it.',
  405: 'It does not take this method here.',
  413: 'The request is too large for it: send less at a time.',
  422: 'It understood the request and found its values wrong: look at its answer under Requests.',
  429: 'It is asked too often: lower the requests a second.'
}

const ENDINGS: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' }
const ordinals = new Intl.PluralRules('en', { type: 'ordinal' })
const ordinal = (count: number): string => `${count}${ENDINGS[ordinals.select(count)] ?? 'th'}`

export const badStatus = (url: Address, status: number, attempts: number): Failure => {
  const advice =
    ADVICE[status] ??
    (status >= 500 ? 'The service itself failed: try again later.' : 'Look at its answer under Requests.')
  const times = attempts > 1 ? `, also the ${ordinal(attempts)} time` : ''
  return {
    kind: 'status',
    message: `${url.host} answered with status ${status}${times}. ${advice}`,
    arrived: 'yes'
  }
}

export const unreadable = (host: string, reason: string): Failure => ({
  kind: 'unreadable',
  message: `The answer of ${host} cannot be used: ${reason}`,
  arrived: 'yes'
})
