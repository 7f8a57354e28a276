import { FlowForgeError } from '../db/ports.ts'
import { dbInputs, flowForgeInputs, type Boot, type FlowForgeApi, type WireDbApi } from './api.ts'
import { createDeferred } from './deferred.ts'
import type { Program } from './program.ts'

/** Holds calls until the program runs; those that cannot be answered are told why instead of waiting for ever. */
export type Gate = {
  open(program: Program): void
  tell(boot: Boot): void
  listen(listener: (boot: Boot) => void): void
  /** The running program. @throws FlowForgeError `STORAGE_UNAVAILABLE` or the failure that kept it from starting */
  program(): Promise<Program>
}

const refusal = (boot: Boot): FlowForgeError | undefined => {
  switch (boot.state) {
    case 'starting':
    case 'ready':
      return undefined
    case 'other-tab':
      return new FlowForgeError(
        'STORAGE_UNAVAILABLE',
        'FlowForge is open in another tab. Use it there, or close it.'
      )
    case 'storage-unavailable':
      return new FlowForgeError('STORAGE_UNAVAILABLE', boot.message)
    case 'failed':
      return new FlowForgeError(boot.code, boot.message)
  }
}

export const createGate = (): Gate => {
  const listeners = new Set<(boot: Boot) => void>()
  const opened = createDeferred<Program>()
  let refused = createDeferred<never>()
  refused.promise.catch(() => undefined)
  let last: Boot = { state: 'starting' }

  const tell = (boot: Boot): void => {
    last = boot
    const error = refusal(boot)
    if (error === undefined) {
      refused = createDeferred<never>()
      refused.promise.catch(() => undefined)
    } else refused.reject(error)
    for (const listener of listeners) listener(boot)
  }

  return {
    open: (program) => {
      opened.resolve(program)
      tell({ state: 'ready' })
    },
    tell,
    listen: (listener) => {
      listeners.add(listener)
      listener(last)
    },
    program: () => Promise.race([opened.promise, refused.promise])
  }
}

type Call = (args: unknown) => Promise<unknown>

/** One call that waits for the program: the door can be exposed before the first `await`. */
const forward =
  (gate: Gate, path: readonly string[]): Call =>
  async (args) => {
    const program: unknown = await gate.program()
    const found = path.reduce<unknown>((at, key) => Reflect.get(Object(at), key), program)
    if (typeof found === 'function') return (found as Call)(args)
    throw new FlowForgeError('NOT_FOUND', `There is no call "${path.join('.')}".`)
  }

const forwardAll = (gate: Gate, path: readonly string[], names: readonly string[]): Record<string, Call> =>
  Object.fromEntries(names.map((name) => [name, forward(gate, [...path, name])]))

/**
 * The door's calls, each of which waits for the program. Calls made to a worker that exposes only when it is ready
 * would be lost. The names are those of the calls' schemas.
 */
export const createDoor = (gate: Gate): { db: WireDbApi; flowforge: FlowForgeApi } => {
  const groups = Object.entries(flowForgeInputs).map(([group, calls]) => [
    group,
    forwardAll(gate, ['flowforge', group], Object.keys(calls))
  ])
  const flowforge: unknown = { ...Object.fromEntries(groups), status: forward(gate, ['flowforge', 'status']) }
  const db: unknown = forwardAll(gate, ['db'], Object.keys(dbInputs))
  // `dbInputs` and `flowForgeInputs` name the same calls as the two types; the compiler cannot see it through a loop.
  return { db: db as WireDbApi, flowforge: flowforge as FlowForgeApi }
}
