import { z } from 'zod'
import type { ProjectionStatus } from '../projections/statuses.ts'
import { Text, type In } from './parts.ts'

export const projectionsInputs = {
  /** + Every read model: how far it is, and what it waits for. */
  list: z.strictObject({}).optional(),
  /** + For async ones; the others are written with each event. */
  pause: z.strictObject({ projection: Text }),
  resume: z.strictObject({ projection: Text }),
  /** + Tries the event at which it is parked again. */
  retry: z.strictObject({ projection: Text }),
  /** + Leaves out the event at which it is parked. `by` stays on record. */
  skip: z.strictObject({ projection: Text, eventId: Text, by: Text.max(200).optional() }),
  /** + Fills its tables, or those of all, anew from the log; answers when the new rows are in place. */
  rebuild: z.strictObject({ projection: Text.optional() }).optional()
} as const

type Inputs = { [K in keyof typeof projectionsInputs]: In<(typeof projectionsInputs)[K]> }

export type ProjectionsApi = {
  list(args?: Inputs['list']): Promise<ProjectionStatus[]>
  pause(args: Inputs['pause']): Promise<void>
  resume(args: Inputs['resume']): Promise<void>
  retry(args: Inputs['retry']): Promise<void>
  skip(args: Inputs['skip']): Promise<void>
  rebuild(args?: Inputs['rebuild']): Promise<void>
}
