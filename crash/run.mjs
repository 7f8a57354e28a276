/** `npm run crash`: kills FlowForge's storage again and again, and checks after each kill that it kept its word. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkNode, installPackages, root } from '../scripts/setup.mjs'

checkNode()
installPackages()
const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '10000' },
    only: { type: 'string' }
  }
})
const { runnerImport } = await import('vite')
const { module } = await runnerImport(join(root, 'crash/simulate-main.ts'), {
  configFile: false,
  logLevel: 'error'
})
process.exitCode = await module.runSimulation({
  seed: Number(options.seed),
  kills: Number(options.kills),
  only: options.only
})
