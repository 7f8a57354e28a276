/** The page of one peer, named by `?peer=`; the driver opens it, and sees `window.peer` when it can be opened. */
const PEERS = {
  raw: () => import('./peers/raw.js'),
  sqlocal: () => import('./peers/sqlocal.js'),
  'wa-sqlite': () => import('./peers/wa-sqlite.js'),
  dexie: () => import('./peers/dexie.js'),
  pglite: () => import('./peers/pglite.js'),
  livestore: () => import('./peers/livestore.js'),
  duckdb: () => import('./peers/duckdb.js'),
  flights: () => import('./peers/flights.js'),
  'g1-duckdb': () => import('./g1/duckdb.js'),
  'g1-sqlite': () => import('./g1/sqlite.js'),
  'g1-arquero': () => import('./g1/arquero.js'),
  'g1-danfo': () => import('./g1/danfo.js'),
  'g1-lodash': () => import('./g1/lodash.js'),
  'g1-items': () => import('./g1/items.js')
}

const name = new URLSearchParams(location.search).get('peer') ?? ''
const load = PEERS[name]
if (load === undefined) throw new Error(`There is no peer "${name}".`)
const { peer } = await load()
window.peer = peer
