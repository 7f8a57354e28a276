import type { Build } from './build.ts'

type Leadership = {
  /** The end of what must not be cut off; null where nothing is going on. */
  readonly busy: () => Promise<void> | null
  /** From here on nothing new is taken. */
  readonly stopTaking: (to: Build) => void
  /** Answers when what was taken has been answered. */
  readonly drained: () => Promise<void>
  readonly end: () => Promise<void>
}

/**
 * Lets a newer build lead: waits for the runs, answers what was asked, and ends the leadership. What it is asked for a
 * second time is under way.
 */
export const createGiveWay = ({ busy, stopTaking, drained, end }: Leadership) => {
  let isGoing = false

  const rest = async (): Promise<void> => {
    for (let running = busy(); running !== null; running = busy()) {
      // oxlint-disable-next-line no-await-in-loop -- another run may have begun behind the one that has ended
      await running
    }
  }

  const go = async (to: Build): Promise<void> => {
    await rest()
    stopTaking(to)
    await drained()
    // The last call may have been one that starts a run.
    await rest()
    await end()
  }

  return (to: Build): { readonly isBusy: boolean } => {
    const isBusy = busy() !== null
    if (isGoing) return { isBusy }
    isGoing = true
    go(to).catch((thrown: unknown) => {
      console.error('The lead could not be given up', thrown)
      // Whoever asks next has it tried again.
      isGoing = false
    })
    return { isBusy }
  }
}
