import { FlowForgeError } from '../../db/ports.ts'

/** Runs jobs side by side, each started once one before it has ended; `false` from one starts no more. */
export const sideBySide = async <T>(
  jobs: readonly T[],
  width: number,
  signal: AbortSignal,
  work: (job: T, signal: AbortSignal) => Promise<boolean>
): Promise<void> => {
  const broken = new AbortController()
  const either = AbortSignal.any([signal, broken.signal])
  let next = 0
  let goesOn = true
  const lane = async (): Promise<void> => {
    while (goesOn && !either.aborted) {
      const job = jobs[next]
      next += 1
      if (job === undefined) return
      if (!(await work(job, either))) goesOn = false
    }
  }
  const lanes = Array.from({ length: Math.min(width, jobs.length) }, () =>
    lane().catch((thrown: unknown) => {
      broken.abort(thrown)
      throw thrown
    })
  )
  const ended = await Promise.allSettled(lanes)
  // The first that broke off, not those that it took with it.
  if (broken.signal.aborted) throw broken.signal.reason
  for (const each of ended) if (each.status === 'rejected') throw each.reason
  if (signal.aborted) throw new FlowForgeError('CANCELED', 'Canceled.')
}
