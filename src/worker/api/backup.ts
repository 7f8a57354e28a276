import { z } from 'zod'
import type { BackupProgress, BackupSummary, KeptCopy } from '../../db/ports.ts'
import { BackupRhythm, FolderHandle, type MadeBackup } from '../backups/notes.ts'
import { Text, type In } from './parts.ts'

export type { BackupRhythm, MadeBackup }

export const backupInputs = {
  create: z.strictObject({}).optional(),
  /** The file itself, or + what `inspect` answered with for it. */
  restore: z.union([
    z.instanceof(Blob),
    z.strictObject({ file: z.instanceof(Blob) }),
    z.strictObject({ inspectionId: Text })
  ]),
  /** + Reads a file in and verifies all of it; nothing is replaced. */
  inspect: z.strictObject({ file: z.instanceof(Blob) }),
  /** + Forgets what was inspected last. */
  discard: z.strictObject({}).optional(),
  /** + What was there before the last restore comes back. */
  undoRestore: z.strictObject({}).optional(),
  /** + Ends the backup or the inspection that is under way; it fails with `CANCELED`. */
  cancel: z.strictObject({}).optional(),
  status: z.strictObject({}).optional(),
  /** + A copy that was kept before a migration or a restore, as a backup. */
  saveKept: z.strictObject({ file: Text }),
  removeKept: z.strictObject({ file: Text }),
  /** + Backups by themselves, into a folder that the person chose; the one that is chosen already where none is given. */
  setSchedule: z.strictObject({
    folder: FolderHandle.optional(),
    rhythm: BackupRhythm,
    /** How many of the latest stay in the folder. */
    keep: z.number().int().min(1).max(1_000)
  }),
  /** + What was made stays in the folder. */
  removeSchedule: z.strictObject({}).optional(),
  /** + One more into the chosen folder, now. */
  createScheduled: z.strictObject({}).optional(),
  /** + The chosen folder, for the page to ask the person for it again. */
  folder: z.strictObject({}).optional(),
  /** + `inspect` for the latest backup in the chosen folder. */
  inspectLatest: z.strictObject({}).optional()
} as const

type Inputs = { [K in keyof typeof backupInputs]: In<(typeof backupInputs)[K]> }

export type BackupStatus = {
  /** Of the job that is under way. */
  progress: BackupProgress | null
  kept: readonly KeptCopy[]
  /** Grows with every restore. */
  generation: number
  /** Why the last restore was taken back, if it was. */
  problem: string | null
  /** The last that was made, wherever to; of other browsers and machines nothing is known. */
  last: MadeBackup | null
  /** How many events are in no backup. */
  eventsSince: number
  /** Null where no folder was chosen. */
  schedule: {
    folderName: string
    rhythm: BackupRhythm
    keep: number
    last: MadeBackup | null
    /** Why the last try failed. `reason` is `folder-permission` where the person can allow it again, else `folder-gone` and such. */
    problem: { at: string; code: string; message: string; reason: string | null } | null
  } | null
}

export type BackupApi = {
  /** One SQLite file with everything in it; what is done meanwhile goes on. */
  create(args?: Inputs['create']): Promise<File>
  /** Answers when it is in its place; calls made from then on are about what was restored. */
  restore(args: Inputs['restore']): Promise<BackupSummary>
  inspect(args: Inputs['inspect']): Promise<{ inspectionId: string; summary: BackupSummary }>
  discard(args?: Inputs['discard']): Promise<void>
  undoRestore(args?: Inputs['undoRestore']): Promise<void>
  cancel(args?: Inputs['cancel']): Promise<void>
  status(args?: Inputs['status']): Promise<BackupStatus>
  saveKept(args: Inputs['saveKept']): Promise<File>
  removeKept(args: Inputs['removeKept']): Promise<void>
  setSchedule(args: Inputs['setSchedule']): Promise<void>
  removeSchedule(args?: Inputs['removeSchedule']): Promise<void>
  createScheduled(args?: Inputs['createScheduled']): Promise<MadeBackup>
  folder(args?: Inputs['folder']): Promise<FileSystemDirectoryHandle>
  inspectLatest(
    args?: Inputs['inspectLatest']
  ): Promise<{ inspectionId: string; fileName: string; summary: BackupSummary }>
}
