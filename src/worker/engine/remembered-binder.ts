import type { Binder } from '../../workflow/binder.ts'

/** How many answers are kept: several large workflows' worth. */
const KEPT = 2_000

/**
 * A binder that asks each question once. An answer depends on the text and the columns alone, and a graph is planned many
 * times with most of it unchanged: while it is edited, when it is previewed, and before and at the beginning of each run.
 * What could not be answered is asked again.
 */
export const rememberAnswers = (binder: Binder): Binder => {
  const answers = new Map<string, Promise<unknown>>()

  const once =
    <Args extends readonly unknown[], Answer>(name: string, ask: (...args: Args) => Promise<Answer>) =>
    (...args: Args): Promise<Answer> => {
      const key = JSON.stringify([name, ...args])
      // Kept under a key that names the question's kind: what is found there is this kind's answer.
      const known = answers.get(key) as Promise<Answer> | undefined
      const answer = known ?? ask(...args)
      // Used last, it goes last.
      answers.delete(key)
      answers.set(key, answer)
      if (known === undefined) answer.catch(() => answers.delete(key))
      const [oldest] = answers.keys()
      if (answers.size > KEPT && oldest !== undefined) answers.delete(oldest)
      return answer
    }

  return {
    describe: once('describe', binder.describe),
    checkScalar: once('scalar', binder.checkScalar),
    checkAggregate: once('aggregate', binder.checkAggregate)
  }
}
