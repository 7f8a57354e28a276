import { z } from 'zod'
import type { StateAt } from '../projections/past.ts'
import { Text, type In } from './parts.ts'

export const historyInputs = {
  /** + Rows of a query over the read models as they were after the event at a position. */
  stateAt: z.strictObject({
    position: z.number().int().min(0),
    sql: Text,
    params: z.array(z.unknown()).optional()
  })
} as const

type Inputs = { [K in keyof typeof historyInputs]: In<(typeof historyInputs)[K]> }

export type HistoryApi = {
  stateAt(args: Inputs['stateAt']): Promise<StateAt>
}
