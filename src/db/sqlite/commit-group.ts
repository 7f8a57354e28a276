import { attempt, type Outcome, type Savepoints } from './savepoints.ts'

/** A piece of work that is done at one go: all of its statements run before anybody else's. */
export type Unit<T> = () => T

/**
 * The same work done for several callers in one go. Each gets an outcome of its own; a refusal must have written nothing
 * of that caller's. What it throws is nobody's in particular: each caller's unit is then done by itself.
 */
export type Gather<I, O> = (inputs: readonly I[]) => readonly Outcome<O>[]

export type Settle = { resolve: (value: unknown) => void; reject: (reason: unknown) => void }

/** A caller who waits for a unit; `gathered` where its work can be done together with that of its neighbours. */
export type WaitingUnit = {
  readonly writes: boolean
  readonly work: Unit<unknown>
  readonly gathered: Gathered | null
  readonly settle: Settle
}
export type Gathered = { readonly gather: Gather<unknown, unknown>; readonly input: unknown }

const answer = (units: readonly WaitingUnit[], outcomes: readonly Outcome[]): void => {
  units.forEach(({ settle }, index) => {
    const outcome = outcomes[index]
    if (outcome?.ok === true) settle.resolve(outcome.value)
    else settle.reject(outcome?.error)
  })
}

/** Neighbours that the same gatherer serves, together; every other unit by itself. */
const toParts = (units: readonly WaitingUnit[]): WaitingUnit[][] => {
  const parts: WaitingUnit[][] = []
  for (const unit of units) {
    const last = parts.at(-1)
    const gather = unit.gathered?.gather
    if (last !== undefined && gather !== undefined && last[0]?.gathered?.gather === gather) last.push(unit)
    else parts.push([unit])
  }
  return parts
}

/**
 * Commits what several callers wait for in one transaction, each in a savepoint of its own, and answers them after
 * COMMIT: one flush for all, and one caller's failure touches no other.
 *
 * @param tell called when the database stands as committed, or as it was before
 */
export const createCommitGroup = (
  savepoints: Savepoints,
  tell: () => void
): ((units: readonly WaitingUnit[]) => void) => {
  const doOne = ({ writes, work }: WaitingUnit): Outcome => {
    const lost = savepoints.loss()
    if (lost !== null) return { ok: false, error: lost.cause }
    return writes ? savepoints.within(work) : savepoints.bare(work)
  }

  const doPart = (part: readonly WaitingUnit[]): readonly Outcome[] => {
    const gather = part[0]?.gathered?.gather
    if (part.length === 1 || gather === undefined || savepoints.loss() !== null) return part.map(doOne)
    const inputs = part.map(({ gathered }) => gathered?.input)
    const together = savepoints.within(() => gather(inputs))
    return together.ok ? together.value : part.map(doOne)
  }

  const commitWriters = (units: readonly WaitingUnit[]): void => {
    const [only] = units
    savepoints.begin()
    // One caller alone needs no savepoint: its failure is the transaction's.
    const outcomes =
      units.length === 1 && only !== undefined ? [attempt(only.work)] : toParts(units).flatMap(doPart)
    if (units.length > 1 && savepoints.loss() !== null) {
      // One of them took the whole group down: each once more, alone.
      savepoints.rollBack()
      for (const unit of units) commit([unit])
      return
    }
    if (outcomes.length === 1 && outcomes[0]?.ok === false) savepoints.rollBack()
    else savepoints.commit()
    answer(units, outcomes)
    tell()
  }

  const commit = (units: readonly WaitingUnit[]): void => {
    if (units.every((unit) => !unit.writes)) {
      answer(
        units,
        units.map(({ work }) => attempt(work))
      )
      return
    }
    try {
      commitWriters(units)
    } catch (error) {
      savepoints.rollBack()
      for (const { settle } of units) settle.reject(error)
      tell()
    }
  }

  return commit
}
