import { FlowForgeError, type Rescue } from '../db/ports.ts'
import { rescueInputs, type RescueApi } from './api/rescue.ts'
import { handler } from './handler.ts'
import { STORAGE_LOCK, holdLock, type Release } from './locks.ts'

/** How long a rescue waits for whoever has the storage, in ms: another tab may be trying to open it just now. */
const PATIENCE_MS = 5_000

const takeStorage = async (locks: LockManager | undefined, patienceMs: number): Promise<Release> => {
  const signal = AbortSignal.timeout(patienceMs)
  try {
    return await holdLock(STORAGE_LOCK, locks === undefined ? { signal } : { signal, locks })
  } catch (cause) {
    if (!signal.aborted) throw cause
    const message =
      'The storage is in use: another tab of FlowForge has it open, or something asked before is not done yet. Close the other tabs, then try again.'
    throw new FlowForgeError('STORAGE_UNAVAILABLE', message, {}, cause)
  }
}

/** The rescue's side of the door. The storage is open only while a call is carried out: in between another tab may try. */
export const createRescueHandlers = (args: {
  readonly open: () => Promise<Rescue>
  readonly locks?: LockManager
  readonly patienceMs?: number
}): RescueApi => {
  const { open, locks, patienceMs = PATIENCE_MS } = args

  const during = async <T>(work: (rescue: Rescue) => T | Promise<T>): Promise<T> => {
    const release = await takeStorage(locks, patienceMs)
    try {
      const rescue = await open()
      try {
        return await work(rescue)
      } finally {
        rescue.close()
      }
    } finally {
      release()
    }
  }

  return {
    copies: handler('rescue.copies', rescueInputs.copies, () => during((rescue) => rescue.copies())),
    save: handler('rescue.save', rescueInputs.save, ({ file }) => during((rescue) => rescue.save(file))),
    restore: handler('rescue.restore', rescueInputs.restore, ({ file }) =>
      during((rescue) => rescue.restore(file))
    ),
    findDatabase: handler('rescue.findDatabase', rescueInputs.findDatabase, () =>
      during((rescue) => rescue.findDatabase())
    ),
    salvage: (onProgress) =>
      handler('rescue.salvage', rescueInputs.salvage, () =>
        during((rescue) => rescue.salvage((progress) => void onProgress(progress)))
      )(undefined)
  }
}
