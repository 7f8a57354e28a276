/** The name of the lock whose holder owns the storage; one an origin. */
export const STORAGE_LOCK = 'flowforge-storage'

/**
 * Waits to be the one tab that owns the storage, and keeps it until this worker ends. The lock is never stolen: a
 * frozen holder keeps its file handles, and two writers would corrupt the database.
 *
 * @param onWait told once, if another tab holds it now
 */
export const takeLead = async (onWait: () => void, locks: LockManager = navigator.locks): Promise<void> => {
  const taken = (await locks.query()).held?.some((lock) => lock.name === STORAGE_LOCK) ?? false
  if (taken) onWait()
  await new Promise<void>((resolve, reject) => {
    locks
      .request(STORAGE_LOCK, () => {
        resolve()
        // Held until the worker goes: the browser lets go of the lock then, however it ended.
        return new Promise<never>(() => undefined)
      })
      .catch(reject)
  })
}
