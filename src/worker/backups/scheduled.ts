import { FlowForgeError, toFlowForgeError, type DbContext } from '../../db/ports.ts'
import { isDue, type LogPlace } from './due.ts'
import { mayWrite } from './folder-permission.ts'
import type { BackupJobs } from './jobs.ts'
import type { BackupNoteStore, BackupSchedule, MadeBackup } from './notes.ts'

/** All in ms. */
export type ScheduleTimes = {
  /** After the opening: the first screen comes first. What was missed while nothing ran is made then. */
  readonly first: number
  readonly look: number
  /** Nobody has written for so long: it is idle. */
  readonly idle: number
  /** It was not idle for so long: it is made all the same. */
  readonly patience: number
  /** Before another try after one that failed. */
  readonly retry: number
}
const TIMES: ScheduleTimes = {
  first: 8_000,
  look: 30_000,
  idle: 5_000,
  patience: 10 * 60_000,
  retry: 15 * 60_000
}

export type ScheduledBackups = {
  /** Makes one now. @throws FlowForgeError `NOT_FOUND` without a schedule, `NOT_ALLOWED` where the folder cannot be written */
  readonly makeNow: () => Promise<MadeBackup>
  /** Looks soon whether one is due. */
  readonly look: () => void
  readonly stop: () => Promise<void>
}

export const placeOf = async (context: DbContext): Promise<LogPlace> => ({
  generation: context.backup.place().generation,
  logPosition: (await context.facts()).logPosition
})

const lostPermission = (folder: FileSystemDirectoryHandle): FlowForgeError =>
  new FlowForgeError(
    'NOT_ALLOWED',
    `The browser no longer lets FlowForge write into the folder "${folder.name}". Allow it again in the settings.`,
    { reason: 'folder-permission' }
  )

/** Makes backups into the folder that the person chose, when they are due and nobody is at work. */
export const startScheduledBackups = (args: {
  readonly context: DbContext
  readonly notes: BackupNoteStore
  readonly jobs: BackupJobs
  readonly now: () => string
  /** A run is under way. */
  readonly isRunning: () => boolean
  readonly times?: ScheduleTimes
}): ScheduledBackups => {
  const { context, notes, jobs, now, isRunning, times = TIMES } = args
  let isStopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let lastWrite = Number.NEGATIVE_INFINITY
  let dueSince: number | null = null
  let failedAt = Number.NEGATIVE_INFINITY
  let working: Promise<unknown> = Promise.resolve()

  const note = (change: (schedule: BackupSchedule) => BackupSchedule, last?: MadeBackup): Promise<unknown> =>
    notes.change((all) => ({
      schedule: all.schedule === null ? null : change(all.schedule),
      last: last ?? all.last
    }))

  const make = async (schedule: BackupSchedule): Promise<MadeBackup> => {
    const { folder, keep } = schedule
    try {
      if (!(await mayWrite(folder))) throw lostPermission(folder)
      const { generation } = context.backup.place()
      const { fileName, summary, unpruned } = await jobs.during((job) =>
        context.backup.createIn(folder, keep, job)
      )
      const { createdAt: at, bytes, logPosition } = summary
      const made: MadeBackup = { at, folderName: folder.name, fileName, bytes, generation, logPosition }
      const problem =
        unpruned === null ? null : { at: now(), code: 'CONFLICT', message: unpruned, reason: 'not-pruned' }
      await note((current) => ({ ...current, last: made, problem }), made)
      return made
    } catch (thrown) {
      const { code, message, details } = toFlowForgeError(thrown)
      const reason = typeof details['reason'] === 'string' ? details['reason'] : null
      // Another job is at work, or the storage is being closed: nothing is wrong with the schedule.
      if (code !== 'CONFLICT' && !isStopped) {
        failedAt = performance.now()
        await note((current) => ({ ...current, problem: { at: now(), code, message, reason } }))
      }
      throw thrown
    }
  }

  const isIdle = (): boolean => {
    dueSince ??= performance.now()
    if (performance.now() - dueSince >= times.patience) return true
    return !isRunning() && performance.now() - lastWrite >= times.idle
  }

  /** Answers after how long to look again. */
  const lookNow = async (): Promise<number> => {
    const { schedule } = await notes.read()
    if (schedule === null || !isDue(schedule.rhythm, schedule.last, await placeOf(context), now())) {
      dueSince = null
      return times.look
    }
    if (performance.now() - failedAt < times.retry) return times.look
    // Known to be lost: it is granted again by a person, or not.
    if (schedule.problem?.reason === 'folder-permission' && !(await mayWrite(schedule.folder)))
      return times.look
    if (!isIdle()) return times.idle
    dueSince = null
    await make(schedule)
    return times.look
  }

  const later = (ms: number): void => {
    if (isStopped) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      // One look after the other: what is being made by an earlier one is not due any more when the next one asks.
      working = working
        .then(lookNow)
        .catch((thrown: unknown) => {
          // It is noted, and the screens say it.
          if (!isStopped) console.warn('The scheduled backup was not made', thrown)
          return times.look
        })
        .then(later)
    }, ms)
  }

  const stopHearing = context.onCommit(({ tables }) => {
    if (tables.has('events')) lastWrite = performance.now()
  })
  later(times.first)

  return {
    makeNow: async () => {
      const { schedule } = await notes.read()
      if (schedule === null) throw new FlowForgeError('NOT_FOUND', 'No folder for backups was chosen.')
      return make(schedule)
    },
    look: () => {
      failedAt = Number.NEGATIVE_INFINITY
      later(0)
    },
    stop: async () => {
      isStopped = true
      stopHearing()
      clearTimeout(timer)
      jobs.cancel()
      await working
    }
  }
}
