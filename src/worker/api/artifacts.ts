import { z } from 'zod'
import { SINK_FORMATS } from '../../workflow/nodes/sink.ts'
import type { TableProfile } from '../../workflow/profile/table-profile.ts'
import type { Page } from './page.ts'
import { Text, type In } from './parts.ts'

export const artifactsInputs = {
  read: z.strictObject({
    artifactId: Text,
    offset: z.number().int().min(0).optional(),
    limit: z.number().int().min(1).max(100_000).optional()
  }),
  save: z.strictObject({ artifactId: Text, format: z.enum(SINK_FORMATS) }),
  /** + What stands in the columns of a result: computed when it is first asked for, and kept. */
  profile: z.strictObject({ artifactId: Text })
} as const

type Inputs = { [K in keyof typeof artifactsInputs]: In<(typeof artifactsInputs)[K]> }

export type ArtifactsApi = {
  read(args: Inputs['read']): Promise<Page>
  save(args: Inputs['save']): Promise<Blob>
  profile(args: Inputs['profile']): Promise<TableProfile>
}
