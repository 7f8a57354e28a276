/** Brings a fresh clone to where it can be built and tested, and is quick when there is nothing to do. No dependencies. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumPath } from './chromium.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs a program in the foreground; ends this process with its exit code if it fails. */
export const run = (command, args, environment = {}) => {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment }
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

const fail = (message) => {
  console.error(message)
  process.exit(1)
}

const hashOf = (paths) => {
  const hash = createHash('sha256')
  for (const path of paths)
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
  return hash.digest('hex')
}

const readStamp = (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '')
const writeStamp = (path, text) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

export const checkNode = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`FlowForge needs Node 20.19 or newer; this is ${process.versions.node}.`)
  }
}

/** `npm ci`, unless what is installed is what the lock file says. */
export const installPackages = () => {
  const stamp = 'node_modules/.flowforge-lock'
  const wanted = hashOf(['package-lock.json', 'package.json'])
  if (readStamp(stamp) === wanted) return
  run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'])
  writeStamp(stamp, wanted)
}

/** Finds a Chromium; on Debian as root it installs the package. */
export const findChromium = () => {
  if (chromiumPath() === undefined && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    run('apt-get', ['update', '-qq'])
    run('apt-get', ['install', '-y', '-qq', 'chromium'])
  }
  const path = chromiumPath()
  if (path === undefined) {
    fail(
      'The tests need Chromium: install your system’s package "chromium", or set CHROMIUM_PATH to its program.'
    )
  }
  return path
}

const filesBelow = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesBelow(path) : [path]
  })

/** Builds the app, unless `dist` was built from just these files. */
export const buildApp = () => {
  const inputs = [
    'index.html',
    'schema.sql',
    'package-lock.json',
    'vite.config.ts',
    ...filesBelow('src'),
    ...filesBelow('public')
  ]
    .filter((path) => statSync(join(root, path)).isFile() && !path.endsWith('.test.ts'))
    .toSorted()
  const wanted = hashOf(inputs)
  if (readStamp('dist/.built-from') === wanted) return
  run('npx', ['vite', 'build', '--logLevel', 'warn'])
  writeStamp('dist/.built-from', wanted)
}
