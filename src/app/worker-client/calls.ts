import { FlowForgeError } from '../../worker/api.ts'
import { createDeadlines, type DeadlineGuard } from './deadlines.ts'

/** How long a call may take, in ms, before it fails with `TIMEOUT`; `null` where only the person can say what is too long. */
export type Limits<Api> = {
  readonly [K in keyof Api]: Api[K] extends (...args: never[]) => unknown ? number | null : Limits<Api[K]>
}

/** Whoever keeps calls until they are answered. */
type Keeper = {
  call(
    call: { readonly id: string; readonly path: readonly string[]; readonly args: unknown },
    wasSent: boolean
  ): Promise<unknown>
  forget(id: string): void
}

/** Calls are kept until they are answered: what is sent again must be what was given, whatever has become of that since. */
const copyOf = (call: string, given: unknown): unknown => {
  try {
    return structuredClone(given)
  } catch (cause) {
    const message = `${call}: what was given cannot be handed on (${String(cause)}). Give plain values, bytes, a Blob or a File.`
    throw new FlowForgeError('INVALID_INPUT', message, {}, cause)
  }
}

/** Makes the functions of the door. Each call has an id of its own, under which it may be sent again and lands once. */
export const createCalls = (
  keeper: Keeper,
  newId: () => string
): Pick<DeadlineGuard, 'pause' | 'go'> & {
  /** Builds an object with the calls that `limits` names, so that the console can list and complete them. */
  build<Api extends object>(limits: Limits<Api>, path: readonly string[]): Api
} => {
  const deadlines = createDeadlines()

  const send = async (path: readonly string[], limit: number | null, given: unknown): Promise<unknown> => {
    const name = path.join('.')
    const call = { id: newId(), path, args: copyOf(name, given) }
    return deadlines.guard(name, limit, keeper.call(call, false), () => keeper.forget(call.id))
  }

  const build = <Api extends object>(limits: Limits<Api>, path: readonly string[]): Api => {
    const built: Record<string, unknown> = {}
    for (const [name, limit] of Object.entries<unknown>(limits)) {
      const inner = [...path, name]
      built[name] =
        typeof limit === 'object' && limit !== null
          ? build(limit, inner)
          : (given: unknown) => send(inner, typeof limit === 'number' ? limit : null, given)
    }
    // `Limits` is what ties the names to the API; the compiler cannot see it through a loop.
    return built as Api
  }
  return { build, pause: deadlines.pause, go: deadlines.go }
}
