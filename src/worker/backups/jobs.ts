import { FlowForgeError, type BackupJob, type BackupProgress } from '../../db/ports.ts'

/** The job on backups that is under way, whoever began it: any tab may ask how far it is, and end it. */
export type BackupJobs = {
  readonly during: <T>(work: (job: BackupJob) => Promise<T>) => Promise<T>
  readonly progress: () => BackupProgress | null
  readonly cancel: () => void
}

export const createBackupJobs = (): BackupJobs => {
  let progress: BackupProgress | null = null
  let canceling = new AbortController()
  return {
    during: async (work) => {
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
    },
    progress: () => progress,
    cancel: () => canceling.abort(new FlowForgeError('CANCELED', 'It was canceled; nothing was changed.'))
  }
}
