import type { FlowForgeApi, WireDbApi } from '../../worker/api.ts'
import type { Limits } from './calls.ts'

const STORED = 60_000
const COMPUTED = 5 * 60_000

export const DB_CALLS: Limits<WireDbApi> = {
  appendEvent: STORED,
  appendEvents: STORED,
  loadEvents: STORED,
  readAll: STORED,
  latestSnapshot: STORED,
  saveSnapshot: STORED,
  queryProjection: STORED,
  upsertProjection: STORED,
  truncateProjection: STORED,
  putBlob: null,
  getBlob: COMPUTED,
  statBlob: STORED
}

export const FLOWFORGE_CALLS: Limits<FlowForgeApi> = {
  sources: {
    importFile: null,
    tryFile: null,
    fetchHttp: null,
    refresh: null,
    tryHttp: null,
    cancelFetch: STORED,
    createManual: COMPUTED,
    editManual: COMPUTED,
    readManual: STORED,
    preview: COMPUTED,
    inferSchema: COMPUTED,
    profile: null,
    rename: STORED,
    remove: STORED
  },
  workflows: {
    import: COMPUTED,
    export: STORED,
    publish: COMPUTED,
    create: STORED,
    get: STORED,
    edit: STORED,
    undo: STORED,
    redo: STORED,
    describe: STORED,
    remove: STORED,
    check: COMPUTED,
    preview: COMPUTED
  },
  runs: {
    start: COMPUTED,
    wait: null,
    cancel: STORED,
    resume: COMPUTED,
    retry: COMPUTED,
    verify: COMPUTED,
    verification: null
  },
  requests: { list: STORED, read: STORED, har: COMPUTED, unknown: STORED, decide: STORED },
  explain: { cell: COMPUTED, missing: COMPUTED },
  lineage: { openLineage: STORED },
  artifacts: { read: COMPUTED, save: null, profile: null },
  replicas: { rebuild: COMPUTED, check: COMPUTED },
  projections: {
    list: STORED,
    pause: STORED,
    resume: STORED,
    retry: STORED,
    skip: STORED,
    rebuild: null
  },
  history: { stateAt: COMPUTED },
  catalog: {
    create: STORED,
    edit: STORED,
    undo: STORED,
    redo: STORED,
    discard: STORED,
    publish: STORED,
    rename: STORED,
    describe: STORED,
    remove: STORED,
    get: STORED,
    list: STORED,
    whereUsed: STORED,
    whatIf: COMPUTED
  },
  examples: { open: null },
  log: { state: STORED, verify: null },
  health: { state: STORED, check: null },
  backup: {
    create: null,
    restore: null,
    inspect: null,
    discard: null,
    undoRestore: null,
    cancel: STORED,
    status: STORED,
    saveKept: null,
    removeKept: STORED,
    setSchedule: STORED,
    removeSchedule: STORED,
    createScheduled: null,
    folder: STORED,
    inspectLatest: null
  },
  archive: {
    preview: STORED,
    create: null,
    list: STORED,
    verify: null,
    restore: null,
    folders: STORED,
    connect: STORED
  },
  status: STORED
}
