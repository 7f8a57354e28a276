import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Lints one file with the project's own rules, in a folder laid out like the project. */
const complaintsAbout = (path: string, imported: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'flowforge-import-rule-'))
  folders.push(folder)
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  const source = `import { probe } from '${imported}'\nconsole.log(probe)\n`
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  const text = path.endsWith('.vue') ? `<script setup lang="ts">\n${source}</script>\n` : source
  writeFileSync(join(folder, path), text)
  const oxlint = join(root, 'node_modules/.bin/oxlint')
  try {
    const output = execFileSync(oxlint, [path], { cwd: folder, encoding: 'utf8' })
    // A probe that the linter did not find would pass for one that it allows.
    expect(output).toContain('on 1 file')
    return output
  } catch (failed) {
    const output: unknown = Reflect.get(Object(failed), 'stdout')
    if (typeof output === 'string') return output
    throw failed
  }
}

describe('who may import whom', () => {
  test.each([
    ['src/app/probe.ts', '../db/ports.ts'],
    ['src/app/Probe.vue', '../db/index.ts'],
    ['src/app/runs/Probe.vue', '../../worker/program.ts'],
    ['src/app/runs/probe.ts', '../../worker/engine/compute-engine.ts'],
    ['src/app/probe.ts', 'comlink'],
    ['src/app/Probe.vue', '@duckdb/duckdb-wasm'],
    ['src/worker/probe.ts', '../app/router.ts'],
    ['src/worker/probe.ts', '../db/sqlite/open.ts'],
    ['src/worker/engine/probe.ts', '../../db/index.ts'],
    ['src/worker/main.ts', '../db/sqlite/open.ts'],
    ['src/db/probe.ts', '../workflow/graph.ts'],
    ['src/db/sqlite/probe.ts', '../../worker/api.ts'],
    ['src/db/probe.ts', '../app/router.ts'],
    ['src/workflow/probe.ts', '../db/ports.ts'],
    ['src/workflow/nodes/probe.ts', '../../worker/api.ts'],
    ['src/workflow/probe.ts', '../app/router.ts'],
    ['src/workflow/probe.ts', 'comlink']
  ])('%s may not import %s', (path, imported) => {
    expect(complaintsAbout(path, imported)).toContain('no-restricted-imports')
  })

  test.each([
    ['src/app/probe.ts', '../worker/api.ts'],
    ['src/app/runs/Probe.vue', '../../workflow/graph.ts'],
    ['src/app/worker-client.ts', 'comlink'],
    ['src/worker/probe.ts', '../db/ports.ts'],
    ['src/worker/main.ts', '../db/index.ts'],
    ['src/worker/probe.ts', '../workflow/graph.ts'],
    ['src/workflow/nodes/probe.ts', '../graph.ts'],
    ['src/workflow/probe.ts', 'zod'],
    ['src/db/sqlite/probe.ts', '../ports.ts']
  ])('%s may import %s', (path, imported) => {
    expect(complaintsAbout(path, imported)).not.toContain('no-restricted-imports')
  })
})
