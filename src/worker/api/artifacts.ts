import { z } from 'zod'
import type { Page } from './page.ts'
import { Text, type In } from './parts.ts'

export const artifactsInputs = {
  read: z.strictObject({
    artifactId: Text,
    offset: z.number().int().min(0).optional(),
    limit: z.number().int().min(1).max(100_000).optional()
  }),
  save: z.strictObject({ artifactId: Text, format: z.enum(['csv', 'json', 'xlsx']) })
} as const

type Inputs = { [K in keyof typeof artifactsInputs]: In<(typeof artifactsInputs)[K]> }

export type ArtifactsApi = {
  read(args: Inputs['read']): Promise<Page>
  save(args: Inputs['save']): Promise<Blob>
}
