/** `npm run crash`: kills FlowForge's storage again and again, and checks after each kill that it kept its word. */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkNode, installPackages, root } from '../scripts/setup.mjs'

checkNode()
const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string' },
    only: { type: 'string' },
    tabs: { type: 'string', default: '100' },
    people: { type: 'string', default: '5000' },
    orders: { type: 'string', default: '100000' },
    browser: { type: 'string' },
    faults: { type: 'boolean', default: false },
    processes: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    // Of this program itself: the share of one process.
    part: { type: 'string' }
  }
})
const { runnerImport } = await import('vite')
const load = async (file) =>
  (await runnerImport(join(root, 'crash', file), { configFile: false, logLevel: 'error' })).module

/** The same program once more, for a share of the work; its tally comes back as a message. */
const startPart = (part) =>
  new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, ['--part', JSON.stringify(part)], { serialization: 'advanced' })
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`A part ended with ${code}: ${JSON.stringify(part)}`)))
  })

const main = async () => {
  const seed = Number(options.seed)
  if (options.part !== undefined) {
    const { simulatePart } = await load('simulate-main.ts')
    process.send(await simulatePart(JSON.parse(options.part)))
    process.disconnect()
    return 0
  }
  installPackages()
  if (options.faults) return (await load('faults-main.ts')).runFaults({ seed, only: options.only })
  if (options.only === 'work') {
    const size = { seed, orders: Number(options.orders), people: Number(options.people) }
    return (await load('work-main.ts')).runWork({ size, kills: Number(options.kills ?? 20) })
  }
  if (options.browser !== undefined) {
    const { runInBrowser, runManyTabs } = await load('browser-main.ts')
    if (options.only === 'tabs') return runManyTabs({ browser: options.browser, tabs: Number(options.tabs) })
    return runInBrowser({ browser: options.browser, seed, kills: Number(options.kills ?? 1_000) })
  }
  const { runSimulation, simulatePart } = await load('simulate-main.ts')
  const processes = Number(options.processes)
  return runSimulation({
    seed,
    kills: Number(options.kills ?? 10_000),
    only: options.only,
    processes,
    startPart: processes === 1 ? simulatePart : startPart
  })
}

process.exitCode = await main()
