import { FlowForgeError, type RescueApi } from '../../worker/api.ts'

export type RescueCalls = {
  readonly api: RescueApi
  /** This worker is asked from here on. */
  readonly attach: (rescue: RescueApi) => void
  /** It has ended; what it left unanswered fails. */
  readonly detach: () => void
}

const gone = (): FlowForgeError =>
  new FlowForgeError(
    'WORKER_LOST',
    'The background worker ended before the rescue was done. What was in the database’s place is kept; reload the page and look again.'
  )

/** The calls of a rescue. None is sent again to another worker: a person looks first at what has become of it. */
export const createRescueCalls = (): RescueCalls => {
  let current: RescueApi | null = null
  const unanswered = new Set<(error: FlowForgeError) => void>()

  const ask = <T>(work: (rescue: RescueApi) => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (current === null) return reject(gone())
      unanswered.add(reject)
      work(current)
        .finally(() => unanswered.delete(reject))
        .then(resolve, reject)
    })

  return {
    api: {
      copies: (args) => ask((rescue) => rescue.copies(args)),
      save: (args) => ask((rescue) => rescue.save(args)),
      restore: (args) => ask((rescue) => rescue.restore(args)),
      findDatabase: (args) => ask((rescue) => rescue.findDatabase(args)),
      salvage: (onProgress) => ask((rescue) => rescue.salvage(onProgress))
    },
    attach: (rescue) => {
      current = rescue
    },
    detach: () => {
      current = null
      for (const fail of unanswered) fail(gone())
      unanswered.clear()
    }
  }
}
