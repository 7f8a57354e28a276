import type { FileStore } from '../blobs/file-store.ts'
import { FlowForgeError, isFlowForgeError } from '../flowforge-error.ts'
import { freeRoom } from '../sqlite/room.ts'
import { RESERVE_BYTES, type Reserve } from './reserve.ts'
import type { Reports } from './reports.ts'

/** How long after the opening the reserve is taken, and how often it is tried again while there was no room, in ms. */
const TAKE_AFTER_MS = 2_000
const AGAIN_MS = 15_000

/**
 * Tells a full storage from one with room. While it is full the reserve is given up: what deletes and exports finds
 * room, and new files are not taken in, so that they do not eat it.
 */
export type Room = {
  /** A write has failed for want of room. */
  readonly ranFull: () => void
  /** Something was removed: perhaps there is room again. */
  readonly grew: () => void
  /** @throws FlowForgeError `STORAGE_FULL` */
  readonly expectRoom: () => void
  readonly stop: () => void
}

const isStorageFull = (thrown: unknown): boolean => isFlowForgeError(thrown) && thrown.code === 'STORAGE_FULL'

export const createRoom = (
  reserve: Reserve,
  reports: Reports,
  left: () => Promise<number> = freeRoom,
  takeAfterMs = TAKE_AFTER_MS
): Room => {
  let isFull = false
  let isStopped = false
  let isTaking = false
  let timer: ReturnType<typeof setTimeout> | undefined

  const tell = (outcome: 'full' | 'free'): void => {
    reports.keep('room', outcome, { kind: 'room', outcome }).catch((thrown: unknown) => {
      // Who wrote was told already; this is for the other screens alone.
      if (!isStopped) console.error('That the storage is full cannot be stored', thrown)
    })
  }

  const takeAgain = async (): Promise<void> => {
    if (isTaking || isStopped) return
    isTaking = true
    try {
      // With no room beside it, the reserve would be given up at once again.
      const hasRoom = reserve.isTaken() || (!isFull && (await reserve.take()))
      const wasFreed = hasRoom || ((await left()) > 2 * RESERVE_BYTES && (await reserve.take()))
      if (isStopped) return
      if (!wasFreed) {
        if (!isFull) tell('full')
        isFull = true
        later(AGAIN_MS)
      } else if (isFull || (await reports.latest('room')) === 'full') {
        // Said by this session, or left over from one that ended while it was full.
        isFull = false
        tell('free')
      }
    } finally {
      isTaking = false
    }
  }
  const later = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      takeAgain().catch((thrown: unknown) => {
        if (isStopped) return
        console.error('The reserve could not be taken', thrown)
        later(AGAIN_MS)
      })
    }, ms)
  }
  later(takeAfterMs)

  return {
    ranFull: () => {
      if (isStopped) return
      if (!isFull) {
        // What is told needs room itself.
        reserve.release().then(
          () => tell('full'),
          (thrown: unknown) => console.error('The reserve could not be given up', thrown)
        )
      }
      isFull = true
      later(AGAIN_MS)
    },
    grew: () => {
      if (isFull) later(0)
    },
    expectRoom: () => {
      if (!isFull) return
      const message =
        'The storage is full, and nothing new is taken in. Delete results or sources that you no longer need, then try again.'
      throw new FlowForgeError('STORAGE_FULL', message)
    },
    stop: () => {
      isStopped = true
      clearTimeout(timer)
    }
  }
}

/** Files that ask for room before they are written, and tell when they found none. */
export const filesInRoom = (files: FileStore, room: Room): FileStore => {
  const telling = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (thrown) {
      if (isStorageFull(thrown)) room.ranFull()
      throw thrown
    }
  }
  return {
    ...files,
    stage: async (stream) => {
      room.expectRoom()
      const staged = await telling(files.stage(stream))
      return { ...staged, keep: () => telling(staged.keep()) }
    },
    remove: async (name) => {
      await files.remove(name)
      room.grew()
    }
  }
}
