import { z } from 'zod'
import { Column } from './value-type.ts'

/** The rows of one port, by the hash and the place of their bytes; never the rows themselves. */
export const PinnedPort = z.strictObject({
  /** The artifact that says how the bytes are cut. */
  artifactId: z.string(),
  blobKey: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(0),
  rows: z.int().min(0),
  /** Where the pieces of the bytes begin, each a complete Arrow stream. */
  layout: z.strictObject({
    pieces: z.array(z.strictObject({ offset: z.int().min(0), bytes: z.int().min(0), rows: z.int().min(0) }))
  }),
  columns: z.array(Column)
})
export type PinnedPort = z.infer<typeof PinnedPort>

/** What a node of a draft gave in a run, kept to stand for what it would give: each of its ports. */
export const Pin = z.strictObject({ runId: z.string(), ports: z.record(z.string(), PinnedPort) })
export type Pin = z.infer<typeof Pin>
