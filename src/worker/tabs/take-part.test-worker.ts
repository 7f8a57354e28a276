/** A tab's worker for `take-part.browser.test.ts`: takes part for real, over a program that does what the test says. */
import { expose } from 'comlink'
import type { Boot } from '../api.ts'
import { createDeferred, type Deferred } from '../deferred.ts'
import { createGate } from '../gate.ts'
import { systemWorld } from '../world.ts'
import type { Build } from './build.ts'
import { createSwitchboard } from './switchboard.ts'
import { takePart } from './take-part.ts'
import type { Target } from './target.ts'

const switchboard = createSwitchboard()
const gate = createGate(switchboard)
const boots: Boot[] = []
gate.listen((boot) => boots.push(boot))
// As every tab has that shows something: what is followed is given up and taken up with each change of leader.
switchboard.onProgress(() => undefined)

/** What goes on until the test ends it. */
const goingOn = { opening: createDeferred<void>(), call: createDeferred<void>(), run: createDeferred<void>() }
let run: Deferred<void> | null = null
const nothing = (): void => undefined

const HANG_MS = 1_500
/** Busy with something that nothing can interrupt. */
const hang = (ms: number): void => {
  for (const until = performance.now() + ms; performance.now() < until;);
}

const toTarget = (build: Build): Target => ({
  call: async ({ path }) => {
    if (path[0] === 'hang') hang(HANG_MS)
    if (path[0] === 'run') run = goingOn.run
    if (path[0] === 'long') await goingOn.call.promise
    return build.code
  },
  forget: nothing,
  liveQuery: () => nothing,
  subscribe: () => nothing,
  onProgress: () => nothing
})

const api = {
  start: ({ build, patienceMs, opensAtOnce }: { build: Build; patienceMs: number; opensAtOnce: boolean }) => {
    if (opensAtOnce) goingOn.opening.resolve()
    void takePart({
      build,
      world: systemWorld,
      switchboard,
      gate,
      onFailure: (thrown) => console.error(thrown),
      patienceMs,
      prepare: nothing,
      open: async () => {
        await goingOn.opening.promise
        return {
          target: toTarget(build),
          busy: () => (run === null ? null : run.promise.then(() => void (run = null))),
          close: async () => undefined
        }
      }
    })
  },
  /** Answers with the code of the build that answered. */
  call: (what: 'short' | 'long' | 'run' | 'hang') =>
    switchboard.call({ id: systemWorld.newId(), path: [what], args: null }, false),
  finish: (what: keyof typeof goingOn) => goingOn[what].resolve(),
  boots: () => boots
}
export type TestTab = typeof api
expose(api)
