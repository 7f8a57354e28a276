import { z } from 'zod'

/** What several subjects' arguments are made of. */
export const Text = z.string().min(1)
export const JsonObject = z.record(z.string(), z.unknown())
export const WorkflowId = Text
export const Version = z.number().int().min(1)
export const ParameterValues = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))

/** What a caller gives for a schema. */
export type In<S extends z.ZodType> = z.input<S>
