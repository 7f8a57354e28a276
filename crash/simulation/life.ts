import { createHash } from 'node:crypto'
import type { Random } from '../random.ts'
import type { Bundle, ProgramModule } from './bundle.ts'
import type { Disk } from './disk.ts'
import { createKiller, type Killer } from './killer.ts'
import { createOpfs, type Locks } from './opfs.ts'
import type { Scheduler } from './scheduler.ts'

/** One run of the program on a machine, from its start until it is killed; memory and code are its own. */
export type Life = {
  readonly program: ProgramModule
  readonly killer: Killer
  /** What the program wrote to its console. */
  readonly said: readonly string[]
  /** Names of the files and folders below a path, as the program sees them. */
  readonly names: (path: string) => Promise<string[]>
}

const digest = async (algorithm: string, data: Uint8Array): Promise<ArrayBuffer> =>
  new Uint8Array(createHash(algorithm.replace('-', '')).update(data).digest()).buffer

/** Chance for ids and salts, from the seed. */
const createCrypto = (random: Random) => ({
  subtle: { digest },
  getRandomValues: <T extends Uint8Array>(array: T): T => {
    for (let at = 0; at < array.length; at += 1) array[at] = random.between(0, 255)
    return array
  },
  randomUUID: () =>
    Array.from({ length: 4 }, () =>
      Math.floor(random.next() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    ).join('-')
})

/** A channel whose messages arrive as tasks of the scheduler; in a dead program none does. */
const createChannels = (scheduler: Scheduler, killer: Killer) =>
  class {
    readonly port1: {
      onmessage: (() => void) | null
      postMessage: (message: unknown) => void
      close: () => void
    }
    readonly port2: typeof this.port1
    constructor() {
      const port = (): typeof this.port1 => ({
        onmessage: null,
        postMessage: () => undefined,
        close: () => undefined
      })
      const [one, two] = [port(), port()]
      const deliver = (to: typeof one) => () => {
        if (!killer.isDead()) to.onmessage?.()
      }
      one.postMessage = () => scheduler.post(deliver(two))
      two.postMessage = () => scheduler.post(deliver(one))
      this.port1 = one
      this.port2 = two
    }
  }

/** WebAssembly that compiles within the same turn; the engine itself is compiled once for all lives. */
const createWebAssembly = (wasm: WebAssembly.Module, compiled: Map<number, WebAssembly.Module>) => ({
  Module: WebAssembly.Module,
  Instance: WebAssembly.Instance,
  Memory: WebAssembly.Memory,
  Table: WebAssembly.Table,
  RuntimeError: WebAssembly.RuntimeError,
  compile: async (bytes: Uint8Array<ArrayBuffer>) => {
    const known = compiled.get(bytes.byteLength) ?? new WebAssembly.Module(bytes)
    compiled.set(bytes.byteLength, known)
    return known
  },
  instantiate: async (module: WebAssembly.Module, imports?: WebAssembly.Imports) =>
    new WebAssembly.Instance(module, imports),
  instantiateStreaming: async (_response: unknown, imports: WebAssembly.Imports) => ({
    module: wasm,
    instance: new WebAssembly.Instance(wasm, imports)
  })
})

const compiledModules = new Map<number, WebAssembly.Module>()

/** Starts the program on a disk. Nothing in it is random, and no time passes, but by the seed and the scheduler. */
export const startLife = (args: {
  bundle: Bundle
  disk: Disk
  locks: Locks
  scheduler: Scheduler
  random: Random
}): Life => {
  const { bundle, disk, locks, scheduler, random } = args
  const killer = createKiller(random.fork())
  const opfs = createOpfs(disk, locks, killer, random.fork())
  const chance = random.fork()
  const said: string[] = []
  const say = (...parts: unknown[]): void =>
    void said.push(
      parts.map((part) => (part instanceof Error ? (part.stack ?? part.message) : String(part))).join(' ')
    )
  // The engine has other file systems too, which want what a worker without isolation does not have.
  const warn = (...parts: unknown[]): void => {
    if (!String(parts[0]).startsWith('Ignoring inability to install')) say(...parts)
  }
  const own = {
    navigator: {
      storage: {
        getDirectory: async () => opfs.root(),
        estimate: async () => ({}),
        persisted: async () => false
      }
    },
    crypto: createCrypto(random.fork()),
    Math: Object.create(Math, { random: { value: chance.next } }),
    WebAssembly: createWebAssembly(bundle.wasm, compiledModules),
    MessageChannel: createChannels(scheduler, killer),
    setTimeout: (task: () => void, ms = 0) =>
      scheduler.after(ms, () => {
        if (!killer.isDead()) task()
      }),
    clearTimeout: (timer: number) => scheduler.cancel(timer),
    location: { href: 'https://simulated.invalid/' },
    performance: { now: scheduler.now },
    console: { log: () => undefined, debug: () => undefined, info: () => undefined, warn, error: say },
    // Only the engine's own file is asked for, and `instantiateStreaming` has it.
    fetch: async () => null,
    ...opfs.globals
  }
  const shadow: unknown = Object.create(globalThis, Object.getOwnPropertyDescriptors(own))
  return {
    program: bundle.start({ ...own, globalThis: shadow }),
    killer,
    said,
    names: async (path) => {
      const below = [...disk.tree().files.keys()].filter((each) => each.startsWith(`${path}/`))
      return below.map((each) => each.slice(path.length + 1))
    }
  }
}
