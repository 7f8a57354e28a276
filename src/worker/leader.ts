import { createDeferred } from './deferred.ts'

/** The name of the lock whose holder owns the storage; one an origin. */
export const STORAGE_LOCK = 'flowforge-storage'

/**
 * Waits to be the one tab that owns the storage, and keeps it until this worker ends or lets go. The lock is never
 * stolen: a frozen holder keeps its file handles, and two writers would corrupt the database.
 *
 * @param onWait told once, if another tab holds it now
 * @returns a function that lets go, for a worker that cannot open the storage after all
 */
export const takeLead = async (
  onWait: () => void | Promise<void>,
  locks: LockManager = navigator.locks
): Promise<() => void> => {
  const held = createDeferred<void>()
  const request = (ifAvailable: boolean): Promise<boolean> =>
    new Promise((resolve, reject) => {
      locks
        .request(STORAGE_LOCK, { ifAvailable }, async (lock) => {
          resolve(lock !== null)
          // Held until then, or until the worker goes: the browser takes it back, however that ended.
          if (lock !== null) await held.promise
        })
        .catch(reject)
    })
  if (!(await request(true))) {
    await onWait()
    await request(false)
  }
  return () => held.resolve()
}
