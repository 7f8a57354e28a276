import { FlowForgeError, type ArchivePort, type BackupPort, type HealthPort, type LogPort } from '../ports.ts'

const refuse = (what: string): Promise<never> =>
  Promise.reject(
    new FlowForgeError('NOT_ALLOWED', `${what}: this engine stands in memory and keeps nothing.`)
  )

/** What is for data that lasts, over an engine whose data does not: nothing is sealed, and whoever asks is told. */
export const unsealedLog = (countEvents: () => Promise<number>): LogPort => ({
  chain: async () => ({
    seals: 0,
    sealedEvents: 0,
    unsealedEvents: await countEvents(),
    headSha256: null,
    sealedAt: null,
    sealedAnew: null
  }),
  seal: () => refuse('The log cannot be sealed'),
  verify: () => refuse('The log cannot be verified')
})

const NO_ARCHIVE = 'Nothing can be archived'

export const noArchive: ArchivePort = {
  measure: () => Promise.resolve({ streams: 0, events: 0, bytes: 0 }),
  move: () => refuse(NO_ARCHIVE),
  list: () => Promise.resolve([]),
  verify: () => Promise.resolve([]),
  bringBack: () => refuse(NO_ARCHIVE),
  folders: () => Promise.resolve([]),
  connect: () => refuse(NO_ARCHIVE)
}

const NO_BACKUP = 'There is no backup'

export const noBackups: BackupPort = {
  create: () => refuse(NO_BACKUP),
  createIn: () => refuse(NO_BACKUP),
  latestIn: () => refuse(NO_BACKUP),
  stage: () => refuse(NO_BACKUP),
  staged: () => refuse(NO_BACKUP),
  discard: () => Promise.resolve(),
  restore: () => refuse(NO_BACKUP),
  undoRestore: () => refuse(NO_BACKUP),
  kept: () => [],
  saveKept: () => refuse(NO_BACKUP),
  removeKept: () => refuse(NO_BACKUP),
  place: () => ({ generation: 0, problem: null })
}

export const noFile: HealthPort = {
  state: () => Promise.resolve({ lastEnd: { kind: 'first' }, checking: null, latest: null }),
  check: () => refuse('There is no file to check')
}
