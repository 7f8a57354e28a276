import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startEngine } from '../../workflow/contract/duckdb.ts'
import { ENGINE_BUILD } from './engine-build.ts'

test('the build that keys and manifests name is the one that computes', async () => {
  const engine = await startEngine()
  const [row] = engine.rows('SELECT version() AS version')
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const library = /"@duckdb\/duckdb-wasm": "([^"]+)"/.exec(text)?.[1]
  expect(ENGINE_BUILD).toBe(`duckdb-wasm ${library}, DuckDB ${String(row?.['version'])}`)
}, 60_000)
