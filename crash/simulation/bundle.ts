import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { readFileSync } from 'node:fs'
import vm from 'node:vm'
import { build, type Plugin } from 'vite'
import { plantFault, type Fault } from '../faults/fault.ts'
import type * as Program from './program.ts'

export type ProgramModule = typeof Program

/** A program that can be started any number of times, each time afresh, in a world of the caller's making. */
export type Bundle = {
  readonly start: (globals: Readonly<Record<string, unknown>>) => ProgramModule
  readonly wasm: WebAssembly.Module
}

const folder = import.meta.dirname
// What a browser loads; under Node the package gives out a build that has no OPFS.
const sqlite = join(
  dirname(createRequire(import.meta.url).resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm')),
  'index.mjs'
)

/** The engine's file as a script without a module of its own; the client of its other worker is left out. */
const asScript: Plugin = {
  name: 'crash:sqlite-as-script',
  enforce: 'pre',
  transform: (code, id) =>
    id === sqlite
      ? code
          .replaceAll('import.meta.url', '"https://simulated.invalid/program.js"')
          .replace(
            /\/\/#region src\/bin\/sqlite3-worker1-promiser[\s\S]*?\/\/#endregion/,
            'var sqlite3_worker1_promiser_default;'
          )
      : undefined
}

/** A simulated life asks no replica anything, and cannot start a worker for one. */
const withoutReplicas: Plugin = {
  name: 'crash:without-replicas',
  enforce: 'pre',
  load: (id) =>
    id.endsWith('/src/db/replica/replica-workers.ts') ? 'export const replicaWorkers = {}' : undefined
}

/** Bundles FlowForge's worker for simulated machines, with a fault planted in it if one is given. */
export const bundleProgram = async (fault?: Fault): Promise<Bundle> => {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    root: folder,
    plugins: [asScript, withoutReplicas, ...(fault === undefined ? [] : [plantFault(fault)])],
    resolve: { alias: { '@sqlite.org/sqlite-wasm': sqlite } },
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      lib: { entry: join(folder, 'program.ts'), formats: ['iife'], name: 'program' }
    }
  })
  const [first] = Array.isArray(built) ? built : []
  const chunk = first?.output.find((each) => each.type === 'chunk')
  if (chunk === undefined) throw new Error('The program could not be bundled.')
  const { code } = chunk

  // One script for each set of names; compiled once, run for each life.
  const scripts = new Map<string, (...values: unknown[]) => ProgramModule>()
  return {
    wasm: new WebAssembly.Module(readFileSync(join(dirname(sqlite), 'sqlite3.wasm'))),
    start: (globals) => {
      const names = Object.keys(globals).join(', ')
      const known = scripts.get(names)
      const run = known ?? vm.runInThisContext(`(function (${names}) {\n${code}\nreturn program\n})`)
      scripts.set(names, run)
      return run(...Object.values(globals))
    }
  }
}
