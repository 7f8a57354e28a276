import type { z } from 'zod'
import { toFlowForgeError } from '../db/ports.ts'
import { parseInput } from './boundary.ts'

/**
 * One call of the door: parses what comes in, runs it, and turns whatever is thrown into a `FlowForgeError`. A failure
 * that is a bug is logged with its cause; the others are the caller's to handle. The id is the call's: sent again under
 * it, a command lands once.
 */
export const handler =
  <S extends z.ZodType, A>(
    call: string,
    schema: S,
    run: (args: z.output<S>, callId: string | undefined) => Promise<A>
  ) =>
  async (input: unknown, callId?: string): Promise<A> => {
    try {
      return await run(parseInput(call, schema, input), callId)
    } catch (thrown) {
      const error = toFlowForgeError(thrown)
      if (error.code === 'INTERNAL') console.error(`${call} failed`, error, error.cause)
      throw error
    }
  }
