import { z } from 'zod'
import type { OpenLineageEvent } from '../../workflow/lineage/open-lineage.ts'
import { Text, type In } from './parts.ts'

export const lineageInputs = { openLineage: z.strictObject({ runId: Text }) } as const

type Inputs = { [K in keyof typeof lineageInputs]: In<(typeof lineageInputs)[K]> }

export type LineageApi = {
  /** A run as OpenLineage's run events: START and, where it has ended, COMPLETE, FAIL or ABORT. Nothing is sent anywhere. */
  openLineage(args: Inputs['openLineage']): Promise<OpenLineageEvent[]>
}
