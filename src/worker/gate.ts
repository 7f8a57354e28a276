import { FlowForgeError } from '../db/ports.ts'
import type { Boot, DbApi, FlowForgeApi } from './api.ts'
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
type Calls = { readonly [name: string]: Call | Calls }

/**
 * An object with the same calls as the program's part that `select` names, each of which waits for the program: the
 * door can be exposed before the first `await`. Calls made to a worker that exposes later are lost.
 */
const deferred = <T extends object>(gate: Gate, select: (program: Program) => T): T => {
  const at = (path: readonly string[]): unknown =>
    new Proxy(() => undefined, {
      get: (_target, key) => (typeof key === 'string' && key !== 'then' ? at([...path, key]) : undefined),
      apply: async (_target, _this, [args]: unknown[]) => {
        let found: unknown = select(await gate.program())
        for (const key of path) {
          const isThere = typeof found === 'object' && found !== null && Object.hasOwn(found, key)
          found = isThere ? (found as Calls)[key] : undefined
        }
        if (typeof found === 'function') return (found as Call)(args)
        throw new FlowForgeError('NOT_FOUND', `There is no call "${path.join('.')}".`)
      }
    })
  return at([]) as T
}

export const createDoor = (gate: Gate): { db: DbApi; flowforge: FlowForgeApi } => ({
  db: deferred(gate, (program) => program.db),
  flowforge: deferred(gate, (program) => program.flowforge)
})
