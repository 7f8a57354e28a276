import type { Random } from '../random.ts'

/** Thrown into whatever code still runs in a program that is dead; it can do no more harm, and no good. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** How much of an operation of the file system is done when the program dies in it. */
export type Moment = 'before' | 'within' | 'after'

/** Lets a program die at one of its operations on files. */
export type Killer = {
  isDead(): boolean
  /** Dies now, between two operations. */
  kill(): void
  /** Dies at the `count`th operation from now. */
  killAfter(count: number): void
  /** How many operations are left; infinite while no death is set. */
  remaining(): number
  /** What the program was doing when it died, for the report. */
  diedIn(): string | null
  /** Settles when the program dies. */
  readonly death: Promise<void>
  /** Does an operation, or dies before, within or after it. @throws Killed */
  perform<T>(name: string, whole: () => T, half?: () => void): T
}

export const createKiller = (random: Random): Killer => {
  let isDead = false
  let left = Infinity
  let diedIn: string | null = null
  let tell = (): void => undefined
  const death = new Promise<void>((resolve) => {
    tell = resolve
  })

  const die = (where: string | null): void => {
    if (isDead) return
    isDead = true
    diedIn = where
    tell()
  }

  return {
    isDead: () => isDead,
    kill: () => die(null),
    killAfter: (wanted) => {
      left = wanted
    },
    remaining: () => left,
    diedIn: () => diedIn,
    death,
    perform: (name, whole, half) => {
      if (isDead) throw new Killed(name)
      left -= 1
      if (left > 0) return whole()
      const moment = random.pick<Moment>(['before', 'within', 'after'])
      if (moment === 'within') half?.()
      if (moment === 'after') whole()
      die(name)
      throw new Killed(name)
    }
  }
}
