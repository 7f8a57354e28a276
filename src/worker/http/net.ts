import type { Surroundings } from '../../workflow/http/failure.ts'

/** What sending takes from the machine; passed in, so that tests decide it. */
export type Net = {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** In ms; only differences mean anything. */
  readonly clock: () => number
  /** @throws whatever the signal was aborted with */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** At least 0 and below 1. */
  readonly random: () => number
  readonly surroundings: () => Promise<Omit<Surroundings, 'answersBlindly'>>
}

const wait: Net['wait'] = (ms, signal) =>
  new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end)
      resolve()
    }, ms)
    signal.addEventListener('abort', end, { once: true })
  })

/** Names of the permission, newest first; a browser that does not know one refuses the question. */
const LOCAL_PERMISSIONS = ['local-network-access', 'loopback-network', 'local-network']

const localPermission = async (): Promise<Surroundings['localPermission']> => {
  const states: PermissionState[] = []
  for (const name of LOCAL_PERMISSIONS) {
    try {
      // The names are newer than the library's type of them.
      states.push((await navigator.permissions.query({ name: name as PermissionName })).state)
    } catch {
      // This browser does not know it.
    }
  }
  return (['denied', 'prompt', 'granted'] as const).find((state) => states.includes(state)) ?? null
}

const PAGE_ON_THIS_DEVICE = /^(localhost|127\.[\d.]+|\[::1\]|.*\.localhost)$/

export const systemNet: Net = {
  fetch: (url, init) => globalThis.fetch(url, init),
  clock: () => performance.now(),
  wait,
  random: Math.random,
  surroundings: async () => ({
    online: navigator.onLine,
    secure: globalThis.location.protocol === 'https:',
    pageIsLocal: PAGE_ON_THIS_DEVICE.test(globalThis.location.hostname),
    localPermission: await localPermission()
  })
}
