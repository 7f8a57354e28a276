/** The page of one peer, named by `?peer=`; the driver opens it, and sees `window.peer` when it can be opened. */
const PEERS = {
  raw: () => import('./peers/raw.js'),
  sqlocal: () => import('./peers/sqlocal.js'),
  'wa-sqlite': () => import('./peers/wa-sqlite.js'),
  dexie: () => import('./peers/dexie.js'),
  pglite: () => import('./peers/pglite.js'),
  livestore: () => import('./peers/livestore.js'),
  duckdb: () => import('./peers/duckdb.js')
}

const name = new URLSearchParams(location.search).get('peer') ?? ''
const load = PEERS[name]
if (load === undefined) throw new Error(`There is no peer "${name}".`)
const { peer } = await load()
window.peer = peer
