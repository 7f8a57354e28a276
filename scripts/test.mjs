/** `npm test`: sets up, then everything that must hold; prints last how many tests passed and failed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp, checkNode, findChromium, installPackages, root } from './setup.mjs'

checkNode()
installPackages()
const chromium = findChromium()

const reports = mkdtempSync(join(tmpdir(), 'flowforge-test-'))
const totals = { passed: 0, failed: 0, skipped: 0 }

const check = (title, command, args, environment = {}) => {
  const started = Date.now()
  console.log(`\n── ${title}`)
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHROMIUM_PATH: chromium, ...environment }
  })
  console.log(
    `── ${title}: ${status === 0 ? 'ok' : 'FAILED'} (${((Date.now() - started) / 1000).toFixed(0)} s)`
  )
  return status === 0
}

/** A check that is no test runner counts as one test. */
const single = (title, command, args) => {
  totals[check(title, command, args) ? 'passed' : 'failed'] += 1
}

const readReport = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // the runner ended before it wrote one
  }
}

const vitest = (project) => {
  const report = join(reports, `${project}.json`)
  const ok = check(`${project} tests`, 'npx', [
    'vitest',
    'run',
    '--project',
    project,
    '--reporter',
    'default',
    '--reporter',
    'json',
    '--outputFile.json',
    report
  ])
  const result = readReport(report)
  totals.passed += result?.numPassedTests ?? 0
  totals.failed += result?.numFailedTests ?? 0
  totals.skipped += result?.numPendingTests ?? 0
  // A file that does not load, or an error outside of a test, fails no test by itself.
  if (!ok && !(result?.numFailedTests > 0)) totals.failed += 1
  if (ok && !(result?.numPassedTests > 0)) totals.failed += 1
}

const journeys = () => {
  const report = join(reports, 'e2e.json')
  const ok = check('journeys on the built app', 'npx', ['playwright', 'test', '--reporter', 'list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: report
  })
  const stats = readReport(report)?.stats
  totals.passed += (stats?.expected ?? 0) + (stats?.flaky ?? 0)
  totals.failed += stats?.unexpected ?? 0
  totals.skipped += stats?.skipped ?? 0
  if (!ok && !(stats?.unexpected > 0)) totals.failed += 1
  if (ok && !(stats?.expected > 0)) totals.failed += 1
}

single('types', 'npx', ['vue-tsc', '--build'])
single('lint', 'npm', ['run', '--silent', 'lint'])
vitest('unit')
vitest('browser')
buildApp()
journeys()

rmSync(reports, { recursive: true, force: true })
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`)
process.exit(totals.failed === 0 ? 0 : 1)
