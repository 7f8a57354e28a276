import { z } from 'zod'
import type {
  BackupSummary,
  FoundDatabase,
  RescueCopy,
  SalvageProgress,
  SalvageReport
} from '../../db/ports.ts'
import { Text, type In } from './parts.ts'

/** The name of a worker that leaves the storage closed, for a rescue that a person asked for. */
export const RESCUE_WORKER = 'flowforge-rescue'

export const rescueInputs = {
  copies: z.strictObject({}).optional(),
  save: z.strictObject({ file: Text }),
  restore: z.strictObject({ file: z.instanceof(Blob) }),
  salvage: z.strictObject({}).optional(),
  findDatabase: z.strictObject({}).optional()
} as const

type Inputs = { [K in keyof typeof rescueInputs]: In<(typeof rescueInputs)[K]> }

/**
 * What can be done while the storage does not open. Each call takes the storage's lock for itself alone, and fails with
 * `STORAGE_UNAVAILABLE` while somebody has it. What is in the database's place is kept, whatever is done; afterwards the
 * page is to be loaded anew.
 */
export type RescueApi = {
  copies(args?: Inputs['copies']): Promise<readonly RescueCopy[]>
  /** The file as it is; `NOT_FOUND` where there is none of that name. */
  save(args: Inputs['save']): Promise<File>
  /** Verifies a backup and puts it in the database's place; one that is damaged changes nothing. */
  restore(args: Inputs['restore']): Promise<BackupSummary>
  /** Where the record of which file is in use is damaged: takes the newest database that opens, and keeps the others. */
  findDatabase(args?: Inputs['findDatabase']): Promise<FoundDatabase>
  /** Puts what is readable in the database's place; `CORRUPT` where nothing is. */
  salvage(onProgress: (progress: SalvageProgress) => unknown): Promise<SalvageReport>
}
