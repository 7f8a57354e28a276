import { z } from 'zod'

/**
 * The code that a tab runs, and its place among others: a newer schema comes after an older one, then what was built
 * later. Two builds are the same where `code` is.
 */
export const Build = z.object({
  code: z.string().min(1),
  schemaVersion: z.number().int(),
  /** ISO-8601 UTC; empty in development, where no build is newer than another. */
  builtAt: z.string()
})
export type Build = z.infer<typeof Build>

export const isNewer = (build: Build, than: Build): boolean =>
  build.schemaVersion === than.schemaVersion
    ? build.builtAt > than.builtAt
    : build.schemaVersion > than.schemaVersion
