import { z } from 'zod'
import { REPLICA_KINDS } from '../../db/ports.ts'
import type { In } from './parts.ts'

/** Which replica a call is about. */
export const Replica = z.enum(REPLICA_KINDS)

export const replicasInputs = {
  /** + Drops a replica and builds it anew; answers when it follows the log again. */
  rebuild: z.strictObject({ replica: Replica }),
  /** + Compares a replica with the database; one that differs is dropped, and the next question builds it anew. */
  check: z.strictObject({ replica: Replica })
} as const

type Inputs = { [K in keyof typeof replicasInputs]: In<(typeof replicasInputs)[K]> }

export type ReplicasApi = {
  rebuild(args: Inputs['rebuild']): Promise<void>
  check(args: Inputs['check']): Promise<{ isSame: boolean }>
}
