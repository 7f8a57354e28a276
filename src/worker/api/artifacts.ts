import { z } from 'zod'
import { SINK_FORMATS } from '../../workflow/nodes/sink.ts'
import type { Page } from './page.ts'
import { Text, type In } from './parts.ts'

export const artifactsInputs = {
  read: z.strictObject({
    artifactId: Text,
    offset: z.number().int().min(0).optional(),
    limit: z.number().int().min(1).max(100_000).optional()
  }),
  save: z.strictObject({ artifactId: Text, format: z.enum(SINK_FORMATS) })
} as const

type Inputs = { [K in keyof typeof artifactsInputs]: In<(typeof artifactsInputs)[K]> }

export type ArtifactsApi = {
  read(args: Inputs['read']): Promise<Page>
  save(args: Inputs['save']): Promise<Blob>
}
