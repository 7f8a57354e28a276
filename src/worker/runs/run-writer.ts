import type { RunCommand } from '../../workflow/run/run.ts'

/** How many commands may wait: whoever tells more waits for the storage. */
const MOST_WAITING = 500
/** How long the first of them waits for others: a short run is written down in one commit. */
const LINGER_MS = 50

/**
 * Writes down what happens in a run, in order, while the run goes on: what is told within a breath, or during one commit,
 * shares the next.
 * What is lost when the worker dies in between is done again by whoever resumes the run.
 */
export type RunWriter = {
  /** @throws whatever an earlier command failed with: nothing is written after it */
  tell(...commands: readonly RunCommand[]): Promise<void>
  /** Answers when all that was told is durable. @throws the same */
  written(): Promise<void>
  /** What was told and is not written: from here on whoever asks writes it, with what comes after it. @throws the same */
  rest(): Promise<readonly RunCommand[]>
}

export const createRunWriter = (
  execute: (...commands: readonly RunCommand[]) => Promise<unknown>
): RunWriter => {
  let waiting: RunCommand[] = []
  let writing: Promise<void> | null = null
  let lingering: ReturnType<typeof setTimeout> | undefined
  let failure: { readonly cause: unknown } | null = null

  const throwIfFailed = (): void => {
    if (failure !== null) throw failure.cause
  }

  const write = async (): Promise<void> => {
    try {
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

  const begin = (): void => {
    clearTimeout(lingering)
    lingering = undefined
    if (waiting.length > 0 && failure === null) writing ??= write()
  }

  const written = async (): Promise<void> => {
    begin()
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
      if (writing === null) lingering ??= setTimeout(begin, LINGER_MS)
      if (waiting.length > MOST_WAITING) await written()
    },
    written,
    rest: async () => {
      clearTimeout(lingering)
      lingering = undefined
      await writing
      throwIfFailed()
      const commands = waiting
      waiting = []
      return commands
    }
  }
}
