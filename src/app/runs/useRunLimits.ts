import { useLocalStorage } from '@vueuse/core'
import { RunOptions } from '../../workflow/run/run-options.ts'

export type RunLimits = NonNullable<RunOptions['limits']>

const read = (text: string): RunLimits => {
  try {
    return RunOptions.shape.limits.safeParse(JSON.parse(text)).data ?? {}
  } catch {
    return {} // Somebody else's text under our key: there are no limits.
  }
}

/** The limits of the runs that are started here, remembered on this device. What is left out has none. */
export const useRunLimits = () =>
  useLocalStorage<RunLimits>(
    'flowforge.runs.limits',
    {},
    {
      serializer: { read, write: (limits) => JSON.stringify(limits) }
    }
  )
