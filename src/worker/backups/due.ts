import type { BackupRhythm, MadeBackup } from './notes.ts'

const HOURS = 60 * 60 * 1_000
/** A little less than a day: who opens FlowForge each morning gets one each morning. */
const MS = { day: 20 * HOURS, week: 7 * 24 * HOURS - 4 * HOURS } as const

/** Where the log is now, and in which history. */
export type LogPlace = { readonly generation: number; readonly logPosition: number }

/** How many events the log holds that a backup does not; all of them where it is of another history, or there is none. */
export const eventsSince = (made: LogPlace | null, { generation, logPosition }: LogPlace): number =>
  made === null || made.generation !== generation || made.logPosition > logPosition
    ? logPosition
    : logPosition - made.logPosition

/**
 * A history only goes forward, and a restore counts its generation up: one that is behind its own backup is a storage that
 * was emptied. A backup of that would push out what may be all that is left.
 */
const isBehind = (last: LogPlace, place: LogPlace): boolean =>
  place.generation < last.generation ||
  (place.generation === last.generation && place.logPosition < last.logPosition)

/** Whether a scheduled backup is to be made now. One that would hold nothing new never is: it would push out an older one. */
export const isDue = (
  rhythm: BackupRhythm,
  last: MadeBackup | null,
  place: LogPlace,
  now: string
): boolean => {
  if (last === null) return true
  const isSame = last.generation === place.generation && last.logPosition === place.logPosition
  if (isSame || isBehind(last, place)) return false
  switch (rhythm.unit) {
    case 'day':
    case 'week': {
      const passed = Date.parse(now) - Date.parse(last.at)
      // A clock that ran ahead once must not hold up all backups until its time has come.
      return passed < 0 || passed >= MS[rhythm.unit]
    }
    case 'events':
      return last.generation !== place.generation || eventsSince(last, place) >= rhythm.count
  }
}
