/** `npm test`: sets up, then everything that must hold; prints last which tests failed and how many passed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { buildApp, checkNode, findChromium, installPackages, root } from './setup.mjs'

checkNode()
installPackages()
const chromium = findChromium()

const reports = mkdtempSync(join(tmpdir(), 'flowforge-test-'))
const totals = { passed: 0, failed: 0, skipped: 0 }
/** What failed, in words: said again at the end, where a log of thousands of lines is read. */
const failures = []

const fail = (what, why = '') => {
  totals.failed += 1
  failures.push(why === '' ? what : `${what}\n${why.replaceAll(/^/gm, '    ')}`)
}

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
  if (check(title, command, args)) totals.passed += 1
  else fail(title)
}

const readReport = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // the runner ended before it wrote one
  }
}

/** The report has the stack of an error alone, and that of a test that took too long bears a placeholder. */
const inWords = (message) => message.replace('STACK_TRACE_ERROR', 'It took longer than a test may.')

const vitest = (project) => {
  const before = failures.length
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
  totals.skipped += result?.numPendingTests ?? 0
  for (const file of result?.testResults ?? []) {
    const name = `${project}: ${relative(root, file.name)}`
    const failed = file.assertionResults.filter(({ status }) => status === 'failed')
    for (const test of failed)
      fail(`${name} › ${test.fullName}`, test.failureMessages.map(inWords).join('\n'))
    if (file.status === 'failed' && failed.length === 0) fail(name, file.message)
  }
  if (!ok && failures.length === before) fail(`${project} tests`, 'ended with an error outside of a test')
  if (ok && !(result?.numPassedTests > 0)) fail(`${project} tests`, 'no test ran')
}

const journeys = () => {
  const before = failures.length
  const report = join(reports, 'e2e.json')
  const ok = check('journeys on the built app', 'npx', ['playwright', 'test', '--reporter', 'list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: report
  })
  const result = readReport(report)
  const stats = result?.stats
  totals.passed += (stats?.expected ?? 0) + (stats?.flaky ?? 0)
  totals.skipped += stats?.skipped ?? 0
  for (const { title, spec, messages } of specsOf(result?.suites ?? [])) {
    if (!spec.ok) fail(`journey: ${spec.file}:${spec.line} › ${title}`, messages.join('\n'))
  }
  if (!ok && failures.length === before) fail('journeys', 'ended with an error outside of a journey')
  if (ok && !(stats?.expected > 0)) fail('journeys', 'no journey ran')
}

/** Every journey of a report, in whatever depth of describe blocks it stands. */
const specsOf = (suites, above = []) =>
  suites.flatMap((suite) => {
    const path = [...above, suite.title]
    const here = suite.specs.map((spec) => ({
      spec,
      title: [...path.slice(1), spec.title].join(' › '),
      messages: spec.tests.flatMap(({ results }) =>
        results.flatMap(({ errors }) => errors.map((error) => stripVTControlCharacters(error.message ?? '')))
      )
    }))
    return [...here, ...specsOf(suite.suites ?? [], path)]
  })

single('types', 'npx', ['vue-tsc', '--build'])
single('lint', 'npm', ['run', '--silent', 'lint'])
vitest('unit')
vitest('browser')
buildApp()
journeys()

rmSync(reports, { recursive: true, force: true })
for (const failure of failures) console.log(`\nFAILED ${failure}`)
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`)
process.exit(totals.failed === 0 ? 0 : 1)
