import type { z } from 'zod'
import { FlowForgeError, toFlowForgeError } from '../db/ports.ts'

const sentence = (issue: z.core.$ZodIssue): string =>
  issue.path.length === 0 ? issue.message : `${issue.path.map(String).join('.')}: ${issue.message}`

/** Parses a call's argument. @throws FlowForgeError `INVALID_INPUT` with zod's issues */
export const parseInput = <S extends z.ZodType>(call: string, schema: S, input: unknown): z.output<S> => {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
  throw new FlowForgeError('INVALID_INPUT', `${call}: ${issues.map(sentence).join('; ')}`, { issues })
}

/**
 * One call of the door: parses what comes in, runs it, and turns whatever is thrown into a `FlowForgeError`. A failure
 * that is a bug is logged with its cause; the others are the caller's to handle.
 */
export const handler =
  <S extends z.ZodType, A>(call: string, schema: S, run: (args: z.output<S>) => Promise<A>) =>
  async (input: unknown): Promise<A> => {
    try {
      return await run(parseInput(call, schema, input))
    } catch (thrown) {
      const error = toFlowForgeError(thrown)
      if (error.code === 'INTERNAL') console.error(`${call} failed`, error, error.cause)
      throw error
    }
  }
