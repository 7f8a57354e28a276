/** What is measured, in this order, and how much of it. */
export const SIZES = {
  awaited: 300,
  atOnce: 1_000,
  batch: 10_000,
  shortStream: 100,
  longStream: 10_000,
  rebuilt: 100_000,
  logs: [1_000, 100_000, 1_000_000],
  screens: 20,
  failOvers: 20,
  rows: 1_000_000,
  largeRows: 10_000_000,
  gigabyteRows: 20_000_000
}

/** For whoever works on the bench itself: the figures mean nothing. */
export const QUICK_SIZES = {
  awaited: 20,
  atOnce: 50,
  batch: 500,
  shortStream: 100,
  longStream: 500,
  rebuilt: 2_000,
  logs: [100, 1_000, 10_000],
  screens: 3,
  failOvers: 2,
  rows: 10_000,
  largeRows: 20_000,
  gigabyteRows: 100_000
}

export const MEASUREMENTS = [
  { id: 'appends', load: () => import('./measurements/appends.mjs') },
  { id: 'loads', load: () => import('./measurements/loads.mjs') },
  { id: 'rebuild', load: () => import('./measurements/rebuild.mjs') },
  { id: 'logs', load: () => import('./measurements/logs.mjs') },
  { id: 'screen', load: () => import('./measurements/screen.mjs') },
  { id: 'tabs', load: () => import('./measurements/tabs.mjs') },
  { id: 'replica', load: () => import('./measurements/replica.mjs') },
  { id: 'workflow', load: () => import('./measurements/workflow.mjs') },
  { id: 'row-ids', load: () => import('./measurements/row-ids.mjs') },
  { id: 'flights', load: () => import('./measurements/flights.mjs') },
  { id: 'g1', load: () => import('./measurements/g1.mjs') },
  { id: 'g1-large', load: () => import('./measurements/g1-large.mjs') },
  { id: 'gigabyte', load: () => import('./measurements/gigabyte.mjs') }
]
