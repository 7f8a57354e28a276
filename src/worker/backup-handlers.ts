import { FlowForgeError, type BackupJob, type BackupProgress, type DbContext } from '../db/ports.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'

const inputs = flowForgeInputs.backup

type Parts = {
  context: DbContext
  /** Told just before the context stops answering. */
  onReplaced: () => void
}

/** Backup and restore. One job at a time, whose progress any tab can ask for. */
export const createBackupHandlers = ({ context, onReplaced }: Parts): FlowForgeApi['backup'] => {
  const { backup } = context
  let progress: BackupProgress | null = null
  let canceling = new AbortController()

  const during = async <T>(work: (job: BackupJob) => Promise<T>): Promise<T> => {
    const mine = new AbortController()
    const told = (next: BackupProgress): void => {
      // The first report comes from a job that was let in: the one that may be canceled.
      canceling = mine
      progress = next
    }
    try {
      return await work({ onProgress: told, signal: mine.signal })
    } finally {
      if (canceling === mine) progress = null
    }
  }

  const expectNoRun = async (): Promise<void> => {
    const sql = `SELECT id FROM runs WHERE status IN ('queued', 'running')`
    const runs = (await context.projectionStore.query({ sql })).map(({ id }) => String(id))
    if (runs.length === 0) return
    const message =
      'A run is under way. Wait until it has ended, or cancel it, before a backup takes its place.'
    throw new FlowForgeError('CONFLICT', message, { runs })
  }

  return {
    create: handler('backup.create', inputs.create, async () => (await during(backup.create)).file),
    inspect: handler('backup.inspect', inputs.inspect, async ({ file }) => {
      const { id, summary } = await during((job) => backup.stage(file, job))
      return { inspectionId: id, summary }
    }),
    restore: handler('backup.restore', inputs.restore, async (args) => {
      await expectNoRun()
      return during(async (job) => {
        const staged =
          'inspectionId' in args
            ? await backup.staged(args.inspectionId)
            : await backup.stage(args instanceof Blob ? args : args.file, job)
        await backup.restore(staged.id, onReplaced, job)
        return staged.summary
      })
    }),
    discard: handler('backup.discard', inputs.discard, () => backup.discard()),
    undoRestore: handler('backup.undoRestore', inputs.undoRestore, async () => {
      await expectNoRun()
      await backup.undoRestore(onReplaced)
    }),
    cancel: handler('backup.cancel', inputs.cancel, async () => {
      canceling.abort(new FlowForgeError('CANCELED', 'It was canceled; nothing was changed.'))
    }),
    status: handler('backup.status', inputs.status, async () => ({
      progress,
      kept: backup.kept(),
      ...backup.place()
    })),
    saveKept: handler(
      'backup.saveKept',
      inputs.saveKept,
      async ({ file }) => (await during((job) => backup.saveKept(file, job))).file
    ),
    removeKept: handler('backup.removeKept', inputs.removeKept, ({ file }) => backup.removeKept(file))
  }
}
