import { FlowForgeError, type BackupPort, type DbContext } from '../db/ports.ts'
import { flowForgeInputs, type BackupStatus, type FlowForgeApi } from './api.ts'
import { eventsSince } from './backups/due.ts'
import type { BackupJobs } from './backups/jobs.ts'
import type { BackupNoteStore, BackupSchedule, MadeBackup } from './backups/notes.ts'
import { placeOf, type ScheduledBackups } from './backups/scheduled.ts'
import { handler } from './handler.ts'

const inputs = flowForgeInputs.backup

type Parts = {
  context: DbContext
  jobs: BackupJobs
  notes: BackupNoteStore
  scheduled: ScheduledBackups
  /** Told just before the context stops answering. */
  onReplaced: () => void
}

const expectNoRun = async ({ projectionStore }: DbContext): Promise<void> => {
  const sql = `SELECT id FROM runs WHERE status IN ('queued', 'running')`
  const runs = (await projectionStore.query({ sql })).map(({ id }) => String(id))
  if (runs.length === 0) return
  const message =
    'A run is under way. Wait until it has ended, or cancel it, before a backup takes its place.'
  throw new FlowForgeError('CONFLICT', message, { runs })
}

/** What was made and handed out is noted. That it was made stands, also where the note cannot be written. */
const noteMade = async (
  notes: BackupNoteStore,
  { file, summary }: Awaited<ReturnType<BackupPort['create']>>,
  generation: number
): Promise<void> => {
  const { createdAt: at, bytes, logPosition } = summary
  const last: MadeBackup = { at, folderName: null, fileName: file.name, bytes, generation, logPosition }
  await notes
    .change((all) => ({ ...all, last }))
    .catch((thrown: unknown) => console.error('That a backup was made could not be noted', thrown))
}

/** The backups that are made by themselves, and the folder that they go to. */
const scheduleHandlers = ({ context, jobs, notes, scheduled }: Parts) => {
  const folderOf = async (): Promise<FileSystemDirectoryHandle> => {
    const { schedule } = await notes.read()
    if (schedule !== null) return schedule.folder
    throw new FlowForgeError('NOT_FOUND', 'No folder for backups is chosen. Choose one in the settings.')
  }
  return {
    setSchedule: handler('backup.setSchedule', inputs.setSchedule, async ({ folder, rhythm, keep }) => {
      const chosen = folder ?? (await folderOf())
      await notes.change(({ schedule, last }) => ({
        last,
        schedule: {
          folder: chosen,
          rhythm,
          keep,
          // Another folder holds nothing yet.
          last: folder === undefined && schedule !== null ? schedule.last : null,
          problem: folder === undefined && schedule !== null ? schedule.problem : null
        }
      }))
      scheduled.look()
    }),
    removeSchedule: handler('backup.removeSchedule', inputs.removeSchedule, async () => {
      await notes.change((all) => ({ ...all, schedule: null }))
    }),
    createScheduled: handler('backup.createScheduled', inputs.createScheduled, () => scheduled.makeNow()),
    folder: handler('backup.folder', inputs.folder, folderOf),
    inspectLatest: handler('backup.inspectLatest', inputs.inspectLatest, async () => {
      const folder = await folderOf()
      const file = await context.backup.latestIn(folder)
      if (file === null) {
        throw new FlowForgeError('NOT_FOUND', `There is no backup in the folder "${folder.name}".`)
      }
      const { id, summary } = await jobs.during((job) => context.backup.stage(file, job))
      return { inspectionId: id, fileName: file.name, summary }
    })
  } satisfies Partial<FlowForgeApi['backup']>
}

/** All but the handle, which not every channel carries. */
const toView = ({ folder, ...rest }: BackupSchedule): BackupStatus['schedule'] => ({
  ...rest,
  folderName: folder.name
})

/** Backup and restore. One job at a time, whose progress any tab can ask for. */
export const createBackupHandlers = (parts: Parts): FlowForgeApi['backup'] => {
  const { context, jobs, notes, onReplaced } = parts
  const { backup } = context
  const { during } = jobs

  return {
    ...scheduleHandlers(parts),
    create: handler('backup.create', inputs.create, async () => {
      const { generation } = backup.place()
      const made = await during(backup.create)
      await noteMade(notes, made, generation)
      return made.file
    }),
    inspect: handler('backup.inspect', inputs.inspect, async ({ file }) => {
      const { id, summary } = await during((job) => backup.stage(file, job))
      return { inspectionId: id, summary }
    }),
    restore: handler('backup.restore', inputs.restore, async (args) => {
      await expectNoRun(context)
      return during(async (job) => {
        const staged =
          'inspectionId' in args
            ? await backup.staged(args.inspectionId)
            : await backup.stage(args instanceof Blob ? args : args.file, job)
        // To read it in takes its time, and so does what follows: a run may have been begun meanwhile.
        await backup.restore(staged.id, onReplaced, job, () => expectNoRun(context))
        return staged.summary
      })
    }),
    discard: handler('backup.discard', inputs.discard, () => backup.discard()),
    undoRestore: handler('backup.undoRestore', inputs.undoRestore, async () => {
      await expectNoRun(context)
      await backup.undoRestore(onReplaced)
    }),
    cancel: handler('backup.cancel', inputs.cancel, async () => jobs.cancel()),
    status: handler('backup.status', inputs.status, async () => {
      const { schedule, last } = await notes.read()
      return {
        progress: jobs.progress(),
        kept: backup.kept(),
        ...backup.place(),
        last,
        eventsSince: eventsSince(last, await placeOf(context)),
        schedule: schedule === null ? null : toView(schedule)
      }
    }),
    saveKept: handler(
      'backup.saveKept',
      inputs.saveKept,
      async ({ file }) => (await during((job) => backup.saveKept(file, job))).file
    ),
    removeKept: handler('backup.removeKept', inputs.removeKept, ({ file }) => backup.removeKept(file))
  }
}
