import { z } from 'zod'
import type { BackupProgress, BackupSummary, KeptCopy } from '../../db/ports.ts'
import { Text, type In } from './parts.ts'

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
  removeKept: z.strictObject({ file: Text })
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
}
