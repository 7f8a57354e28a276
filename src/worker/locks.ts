import { createDeferred } from './deferred.ts'

/**
 * The name of the lock whose holder owns the storage; one an origin. It is never stolen: a frozen holder keeps its file
 * handles, and two writers would corrupt the database.
 */
export const STORAGE_LOCK = 'flowforge-storage'

export type Release = () => void

const request = (name: string, options: LockOptions, locks: LockManager): Promise<Release | null> =>
  new Promise((resolve, reject) => {
    const held = createDeferred<void>()
    locks
      .request(name, options, (lock) => {
        resolve(lock === null ? null : held.resolve)
        // Held until then, or until the worker goes: the browser takes it back, however that ended.
        return lock === null ? undefined : held.promise
      })
      .catch(reject)
  })

/** Waits for a lock and keeps it until this worker ends or lets go by the function that is the answer. */
export const holdLock = async (
  name: string,
  options: { readonly signal?: AbortSignal; readonly locks?: LockManager } = {}
): Promise<Release> => {
  const { locks = navigator.locks, ...rest } = options
  const release = await request(name, rest, locks)
  if (release === null) throw new Error(`The lock "${name}" was not granted.`)
  return release
}

/** Takes a lock if nobody holds it; null otherwise. */
export const tryLock = (name: string, locks: LockManager = navigator.locks): Promise<Release | null> =>
  request(name, { ifAvailable: true }, locks)
