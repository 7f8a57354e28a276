/** Brings the bench to where it can run: its own packages, the native engine, the peers' pages, and who serves them. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build, preview } from 'vite'
import { root } from '../scripts/setup.mjs'

export const benchFolder = join(root, 'bench')

const run = (command, args, stdio) => spawnSync(command, args, { cwd: benchFolder, stdio, encoding: 'utf8' })

/** `npm ci` in this folder, unless what is installed is what its lock file says. */
export const installPeers = () => {
  const stamp = join(benchFolder, 'node_modules/.flowforge-lock')
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', 'package.json']) hash.update(readFileSync(join(benchFolder, file)))
  const wanted = hash.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const { status } = run(
    'npm',
    ['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'],
    'inherit'
  )
  if (status !== 0) throw new Error('The packages of bench/ could not be installed.')
  writeFileSync(stamp, wanted)
}

/** Builds better-sqlite3 from its source where it is not built yet. Answers with why it cannot be used, or with nothing. */
export const buildNative = () => {
  const tryIt = () => {
    try {
      const Database = createRequire(join(benchFolder, 'package.json'))('better-sqlite3')
      new Database(':memory:').close()
      return undefined
    } catch (thrown) {
      return String(thrown.message).split('\n')[0]
    }
  }
  if (tryIt() === undefined) return undefined
  console.log('Building better-sqlite3 from its source; this takes a minute.')
  run('npm', ['rebuild', 'better-sqlite3', '--build-from-source', '--foreground-scripts'], 'ignore')
  return tryIt()
}

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp'
}

/** Serves the built app, and the peers' pages twice: as they are, and cross-origin isolated. */
export const serve = async () => {
  const configFile = join(benchFolder, 'vite.config.js')
  await build({ configFile, logLevel: 'error' })
  const servers = await Promise.all(
    [
      { configFile: join(root, 'vite.config.ts'), headers: {} },
      { configFile, headers: {} },
      { configFile, headers: ISOLATION }
    ].map((each) =>
      preview({
        configFile: each.configFile,
        logLevel: 'silent',
        preview: { host: 'localhost', port: 0, headers: each.headers }
      })
    )
  )
  const [app, plain, isolated] = servers.map((server) => server.resolvedUrls.local[0])
  return {
    urls: { app, plain, isolated },
    stop: () => Promise.all(servers.map((server) => server.close()))
  }
}
