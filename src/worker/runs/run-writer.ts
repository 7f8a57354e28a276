import type { RunCommand } from '../../workflow/run/run.ts'

/** How many commands may wait: whoever tells more waits for the storage. */
const MOST_WAITING = 500

/**
 * Writes down what happens in a run, in order, while the run goes on: what is told during one commit shares the next.
 * What is lost when the worker dies in between is done again by whoever resumes the run.
 */
export type RunWriter = {
  /** @throws whatever an earlier command failed with: nothing is written after it */
  tell(...commands: readonly RunCommand[]): Promise<void>
  /** Answers when all that was told is durable. @throws the same */
  written(): Promise<void>
}

export const createRunWriter = (
  execute: (...commands: readonly RunCommand[]) => Promise<unknown>
): RunWriter => {
  let waiting: RunCommand[] = []
  let writing: Promise<void> | null = null
  let failure: { readonly cause: unknown } | null = null

  const throwIfFailed = (): void => {
    if (failure !== null) throw failure.cause
  }

  const write = async (): Promise<void> => {
    try {
      // What is told in the same breath belongs together.
      await Promise.resolve()
      while (waiting.length > 0) {
        const commands = waiting
        waiting = []
        // oxlint-disable-next-line no-await-in-loop -- in order, and what comes meanwhile makes up the next
        await execute(...commands)
      }
    } catch (cause) {
      failure = { cause }
    } finally {
      writing = null
    }
  }

  const written = async (): Promise<void> => {
    while (writing !== null) {
      // oxlint-disable-next-line no-await-in-loop -- more may have been told meanwhile
      await writing
    }
    throwIfFailed()
  }

  return {
    tell: async (...commands) => {
      throwIfFailed()
      waiting.push(...commands)
      writing ??= write()
      if (waiting.length > MOST_WAITING) await written()
    },
    written
  }
}
