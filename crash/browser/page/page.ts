/** A tab without a screen: the page's own client over the program's own worker, doing what the harness says. */
import { wrap } from 'comlink'
import { createWorkerClient } from '../../../src/app/worker-client.ts'
import type { Boot } from '../../../src/worker/api.ts'
import { toStored } from '../../simulation/facts.ts'
import type { Harness, Order } from '../orders.ts'
import type { Stored } from '../../history/history.ts'
import { appendNumbered, carryOut } from './carry-out.ts'
import { check } from './check.ts'
import type { FileWorker } from './file-worker.ts'

const isProgram = !location.search.includes('file')

const startProgram = () => {
  let worker: Worker | null = null
  const client = createWorkerClient(() => {
    worker = new Worker(new URL('../../../src/worker/main.ts', import.meta.url), { type: 'module' })
    return worker
  })
  const boots: Boot[] = []
  client.onBoot((boot) => {
    boots.push(boot)
    if (boot.state === 'ready') document.title = 'ready'
  })
  const heard: Stored[] = []
  client.db.subscribe({ afterPosition: 0 }, (event) => void heard.push(toStored(event)))
  return { client, heard, boots, kill: () => worker?.terminate() }
}

const program = isProgram ? startProgram() : null
const theProgram = () => {
  if (program === null) throw new Error('This page has no program.')
  return program
}
const withFile = async <T>(use: (file: ReturnType<typeof wrap<FileWorker>>) => Promise<T>): Promise<T> => {
  const worker = new Worker(new URL('./file-worker.ts', import.meta.url), { type: 'module' })
  try {
    return await use(wrap<FileWorker>(worker))
  } finally {
    worker.terminate()
  }
}

/** A worker holds a lock as soon as it can be spoken to, and its page waits for it; before, its end is noticed late. */
const hasStarted = async (): Promise<void> => {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    const { pending = [] } = await navigator.locks.query()
    if (pending.some(({ name }) => name?.startsWith('flowforge-worker-'))) return
    // oxlint-disable-next-line no-await-in-loop -- the same
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

const said: string[] = []
const { error } = console
console.error = (...parts: unknown[]): void => {
  said.push(parts.map(String).join(' ').slice(0, 300))
  error(...parts)
}

let working: Promise<unknown> = Promise.resolve()

const harness: Harness = {
  work: (orders: readonly Order[]) => {
    const { client } = theProgram()
    working = Promise.all([working, carryOut(client, orders)])
  },
  append: (aggregateId, count) => {
    working = Promise.all([working, appendNumbered(theProgram().client, aggregateId, count)])
  },
  role: async () => (await theProgram().client.flowforge.status()).role,
  settled: async () => {
    await working
  },
  ready: async () => {
    await theProgram().client.flowforge.status()
  },
  verify: (keys, rebuilds) => check(theProgram().client, theProgram().heard, keys, rebuilds),
  said: () =>
    [
      ...theProgram()
        .boots.slice(-6)
        .map((boot) => JSON.stringify(boot)),
      ...said.slice(-5)
    ].join(' | '),
  killWorker: async () => {
    await hasStarted()
    theProgram().kill()
  },
  plant: async (url) => {
    const bytes = await (await fetch(url)).blob()
    return withFile((file) => file.plant(bytes))
  },
  examine: () => withFile((file) => file.examine())
}
Object.assign(window, { harness })
