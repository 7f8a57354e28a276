import { FlowForgeError } from '../db/ports.ts'
import { dbInputs, flowForgeInputs, type Boot, type FlowForgeApi, type WireDbApi } from './api.ts'
import type { Switchboard } from './tabs/switchboard.ts'

/** Tells the page how far the worker has come; calls that nobody can answer are told why instead of waiting for ever. */
export type Gate = {
  tell(boot: Boot): void
  listen(listener: (boot: Boot) => void): void
}

const refusal = (boot: Boot): FlowForgeError | undefined => {
  switch (boot.state) {
    case 'starting':
    case 'ready':
      return undefined
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

type DoorCall = (args: unknown) => Promise<unknown>

/**
 * The door's calls, each of which waits for somebody who answers. Calls made to a worker that exposes only when it is
 * ready would be lost. The names are those of the calls' schemas; each call gets an id, under which it may be sent again.
 */
export const createDoor = (
  switchboard: Pick<Switchboard, 'call'>,
  newId: () => string
): { db: WireDbApi; flowforge: FlowForgeApi } => {
  const forward =
    (...path: readonly string[]): DoorCall =>
    (args) =>
      switchboard.call({ id: newId(), path, args }, false)

  const forwardAll = (path: readonly string[], names: readonly string[]): Record<string, DoorCall> =>
    Object.fromEntries(names.map((name) => [name, forward(...path, name)]))

  const groups = Object.entries(flowForgeInputs).map(([group, calls]) => [
    group,
    forwardAll(['flowforge', group], Object.keys(calls))
  ])
  const flowforge: unknown = { ...Object.fromEntries(groups), status: forward('flowforge', 'status') }
  const db: unknown = forwardAll(['db'], Object.keys(dbInputs))
  // `dbInputs` and `flowForgeInputs` name the same calls as the two types; the compiler cannot see it through a loop.
  return { db: db as WireDbApi, flowforge: flowforge as FlowForgeApi }
}
