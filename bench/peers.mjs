/** Who is measured, how each is opened, and what its acknowledgement is worth. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/setup.mjs'

const versionOf = (folder, name) =>
  JSON.parse(readFileSync(join(root, folder, 'node_modules', name, 'package.json'), 'utf8')).version

const ofBench = (name) => `${name} ${versionOf('bench', name)}`

const WAL = 'yes: WAL, synchronous FULL, one flush a commit'

/**
 * `server` says which address serves its page; `fillLimit`, up to how many events it is filled for the measurements
 * that need a long log: more would take it minutes. `atMost` keeps a slow peer's turn short; rates are rates.
 */
export const PEERS = [
  {
    id: 'flowforge',
    name: 'FlowForge',
    package: () => `this version (@sqlite.org/sqlite-wasm ${versionOf('.', '@sqlite.org/sqlite-wasm')})`,
    server: 'app',
    isDurable: true,
    durability: `${WAL}; calls that wait together share it`,
    fillLimit: 1_000_000
  },
  {
    id: 'raw',
    name: 'raw sqlite-wasm',
    package: () => ofBench('@sqlite.org/sqlite-wasm'),
    server: 'plain',
    isDurable: true,
    durability: `${WAL}; opfs-sahpool in a worker, through Comlink`,
    fillLimit: 1_000_000
  },
  {
    id: 'sqlocal',
    name: 'SQLocal',
    package: () => ofBench('sqlocal'),
    server: 'isolated',
    isDurable: true,
    durability: 'yes: its own VFS and journal (DELETE, FULL); needs a cross-origin isolated page',
    fillLimit: 100_000,
    atMost: { awaited: 100, atOnce: 250 }
  },
  {
    id: 'wa-sqlite',
    name: 'wa-sqlite',
    package: () => ofBench('wa-sqlite'),
    server: 'plain',
    isDurable: true,
    durability: `${WAL}; AccessHandlePoolVFS in a worker, through Comlink`,
    fillLimit: 100_000
  },
  {
    id: 'dexie',
    name: 'Dexie',
    package: () => ofBench('dexie'),
    server: 'plain',
    isDurable: true,
    durability: 'yes: IndexedDB with chromeTransactionDurability "strict"',
    fillLimit: 100_000
  },
  {
    id: 'pglite',
    name: 'PGlite',
    package: () => ofBench('@electric-sql/pglite'),
    server: 'plain',
    isDurable: true,
    durability: 'yes: opfs-ahp in its worker, relaxedDurability false (what a query touched is flushed)',
    fillLimit: 100_000
  },
  {
    id: 'livestore',
    name: 'LiveStore',
    package: () => ofBench('@livestore/livestore'),
    server: 'plain',
    isDurable: false,
    durability:
      'commit() answers before anything is stored; measured until its worker confirms, whose log is SQLite in OPFS (DELETE, FULL)',
    fillLimit: 1_000,
    atMost: { awaited: 50, atOnce: 250, batch: 1_000 }
  },
  {
    id: 'better-sqlite3',
    name: 'better-sqlite3 (native)',
    package: () => ofBench('better-sqlite3'),
    server: null,
    isDurable: true,
    durability: `${WAL}; in Node, in the caller's own thread, no browser`,
    fillLimit: 1_000_000
  }
]

export const BROWSER_PEERS = PEERS.filter(({ server }) => server !== null)
