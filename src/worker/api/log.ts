import { z } from 'zod'
import type { ChainProgress, ChainReport, ChainState } from '../../db/ports.ts'
import type { In } from './parts.ts'

export const logInputs = {
  /** + How far the log's hash chain reaches, and how far a check that is under way has come. */
  state: z.strictObject({}).optional(),
  /** + Hashes the whole log anew and names what differs. Asked again while it is under way, it answers once for all. */
  verify: z.strictObject({}).optional()
} as const

type Inputs = { [K in keyof typeof logInputs]: In<(typeof logInputs)[K]> }

export type LogState = ChainState & { verifying: ChainProgress | null }

export type LogApi = {
  state(args?: Inputs['state']): Promise<LogState>
  verify(args?: Inputs['verify']): Promise<ChainReport>
}
