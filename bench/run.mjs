/** `npm run bench`: FlowForge, its peers and the bare engines at the same work, taken in turn; the report says how it went. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildApp, checkNode, findChromium, installPackages } from '../scripts/setup.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    rows: { type: 'string' },
    only: { type: 'string' },
    peers: { type: 'string' },
    quick: { type: 'boolean', default: false }
  }
})

checkNode()
installPackages()
const executablePath = findChromium()
buildApp()

// What needs the packages that were just installed is imported after that.
const { buildNative, installPeers, serve } = await import('./setup.mjs')
installPeers()
const nativeProblem = buildNative()
const { PEERS } = await import('./peers.mjs')
const { MEASUREMENTS, QUICK_SIZES, SIZES } = await import('./plan.mjs')
const { reasonOf, say } = await import('./turns.mjs')
const { writeReport } = await import('./report.mjs')

const only = options.only?.split(',')
const chosen = MEASUREMENTS.filter(({ id }) => only === undefined || only.includes(id))
if (chosen.length === 0) {
  console.error(`--only takes, separated by commas: ${MEASUREMENTS.map(({ id }) => id).join(', ')}`)
  process.exit(1)
}
const asked = options.peers?.split(',')
const peers = PEERS.filter(({ id }) => asked === undefined || asked.includes(id))
const sizes = options.quick ? QUICK_SIZES : SIZES
const { urls, stop } = await serve()
const place = {
  folder: mkdtempSync(join(tmpdir(), 'flowforge-bench-')),
  executablePath,
  urls,
  peers: peers.filter(({ id }) => id !== 'better-sqlite3' || nativeProblem === undefined),
  rounds: Number(options.rounds ?? (options.quick ? 1 : 5)),
  sizes: options.rows === undefined ? sizes : { ...sizes, rows: Number(options.rows) },
  /** What each peer says of itself when it has been opened. */
  versions: new Map()
}

const started = Date.now()
const sections = []
const failures = []
try {
  for (const { id, load } of chosen) {
    const began = Date.now()
    try {
      const { measure } = await load()
      const measured = await measure(place)
      sections.push(...measured)
      for (const { title, rows } of measured)
        for (const { peer, label, error } of rows)
          if (error !== undefined) failures.push(`${title}, ${peer?.name ?? label}: ${error}`)
    } catch (thrown) {
      console.error(thrown)
      failures.push(`${id}: ${reasonOf(thrown)}`)
    }
    say(`${id} took ${((Date.now() - began) / 1000).toFixed(0)} s`)
  }
} finally {
  await stop()
  rmSync(place.folder, { recursive: true, force: true })
}

const isWhole =
  [only, asked, options.rows, options.rounds].every((option) => option === undefined) && !options.quick
await writeReport({
  sections,
  failures,
  place,
  peers,
  nativeProblem,
  isWhole,
  seconds: (Date.now() - started) / 1000
})
for (const failure of failures) console.error(`FAILED: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
