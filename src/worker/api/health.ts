import { z } from 'zod'
import type { CheckReport, HealthState } from '../../db/ports.ts'
import type { In } from './parts.ts'

export const healthInputs = {
  /** + How the storage was left the last time, and what the last check found. */
  state: z.strictObject({}).optional(),
  /** + Checks the database's file, a table a turn. */
  check: z.strictObject({}).optional()
} as const

type Inputs = { [K in keyof typeof healthInputs]: In<(typeof healthInputs)[K]> }

export type HealthApi = {
  state(args?: Inputs['state']): Promise<HealthState>
  check(args?: Inputs['check']): Promise<CheckReport>
}
