import { FlowForgeError } from '../db/ports.ts'
import type { Boot } from './api.ts'
import type { Switchboard } from './tabs/switchboard.ts'

/** Tells the page how far the worker has come; calls that nobody can answer are told why instead of waiting for ever. */
export type Gate = {
  tell(boot: Boot): void
  listen(listener: (boot: Boot) => void): void
}

const refusal = (boot: Boot): FlowForgeError | undefined => {
  switch (boot.state) {
    case 'starting':
    case 'restoring':
    case 'ready':
    case 'slow':
    case 'no-answer':
    case 'stuck':
    case 'run-elsewhere':
      return undefined
    case 'outdated':
      return new FlowForgeError(
        'NOT_ALLOWED',
        'A newer FlowForge is open in another tab. Reload this one to get it.'
      )
    case 'other-tab':
      return new FlowForgeError(
        'STORAGE_UNAVAILABLE',
        'Another version of FlowForge is open in another tab. Reload that tab, or close it.'
      )
    case 'storage-unavailable':
      return new FlowForgeError('STORAGE_UNAVAILABLE', boot.message)
    case 'failed':
      return new FlowForgeError(boot.code, boot.message)
  }
}

export const createGate = (switchboard: Pick<Switchboard, 'refuse'>): Gate => {
  const listeners = new Set<(boot: Boot) => void>()
  let last: Boot = { state: 'starting' }
  return {
    tell: (boot) => {
      last = boot
      const error = refusal(boot)
      if (error !== undefined) switchboard.refuse(error)
      for (const listener of listeners) listener(boot)
    },
    listen: (listener) => {
      listeners.add(listener)
      listener(last)
    }
  }
}
