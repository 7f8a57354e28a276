import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import { SourceOptions } from '../../../workflow/data-source/source-options.ts'
import type { FlowForgeApi } from '../../../worker/api.ts'
import { useWorkerClient } from '../../useWorkerClient.ts'

type Tried = Awaited<ReturnType<FlowForgeApi['sources']['tryFile']>>

/** What came of the options that stand in the fields. */
export type Trial =
  | { readonly state: 'reading' }
  | { readonly state: 'refused'; readonly error: unknown }
  | { readonly state: 'read'; readonly options: SourceOptions; readonly first: Tried }

/**
 * Reads a file as its options say, whenever they change. One try at a time: those that were overtaken while another went
 * on are left out.
 *
 * @param refusal how the file was refused without options
 */
export const useTriedReading = (
  file: File,
  refusal: unknown
): {
  readonly trial: Readonly<ShallowRef<Trial>>
  readonly tryWith: (options: Readonly<Record<string, unknown>>) => Promise<void>
} => {
  const { flowforge } = useWorkerClient()
  const trial = shallowRef<Trial>({ state: 'refused', error: refusal })
  let newest: Readonly<Record<string, unknown>> = {}
  let isTrying = false
  let isLeft = false
  onScopeDispose(() => {
    isLeft = true
  })

  const read = async (told: Readonly<Record<string, unknown>>): Promise<Trial> => {
    const parsed = SourceOptions.safeParse(told)
    if (!parsed.success) {
      return { state: 'refused', error: parsed.error.issues.map(({ message }) => message).join(' ') }
    }
    const options = parsed.data
    try {
      return { state: 'read', options, first: await flowforge.sources.tryFile({ file, options }) }
    } catch (error) {
      return { state: 'refused', error }
    }
  }

  const tryWith = async (options: Readonly<Record<string, unknown>>): Promise<void> => {
    newest = options
    trial.value = { state: 'reading' }
    if (isTrying) return
    isTrying = true
    let asked: typeof newest
    let answer: Trial
    do {
      asked = newest
      // oxlint-disable-next-line no-await-in-loop -- the next one reads what was chosen meanwhile
      answer = await read(asked)
    } while (asked !== newest && !isLeft)
    isTrying = false
    trial.value = answer
  }

  return { trial, tryWith }
}
