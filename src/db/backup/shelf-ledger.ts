import type { KeptCopy } from '../backup-port.ts'
import type { DatabaseFiles } from '../sqlite/database-files.ts'

/** The small database that says which file is the current one, and which copies are kept. */
export const LEDGER = '/shelf.db'
/** There while a new ledger takes a damaged one's place: without one nothing would say which file is current. */
export const REWRITING = '/shelf-rewriting.db'
/** The first database's file, which is current where there is no ledger. */
export const FIRST = '/flowforge.db'
/** Names that the shelf gives. What has one and stands in no row is what a crash left behind. */
export const OWN = /^\/(flowforge|backup|incoming|restored-\d+|before-\d+)\.db$/
/** Files that may hold a person's work: not those that a job was working on. */
export const DATABASES = /^\/(flowforge|restored-\d+|before-\d+)\.db$/

export const LEDGER_SCHEMA = `
CREATE TABLE IF NOT EXISTS current (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  file       TEXT NOT NULL,
  generation INTEGER NOT NULL,
  is_settled INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  problem    TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS kept (
  file           TEXT PRIMARY KEY NOT NULL,
  kind           TEXT NOT NULL,
  created_at     TEXT NOT NULL,
  bytes          INTEGER NOT NULL,
  schema_version INTEGER NOT NULL,
  log_position   INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS kept_blobs (
  file TEXT NOT NULL,
  blob TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (file, blob)
) STRICT;
INSERT INTO current VALUES (1, '${FIRST}', 0, 1, 0, NULL) ON CONFLICT DO NOTHING;
`

export type LedgerCopy = Omit<KeptCopy, 'bytes'> & {
  readonly bytes: number
  readonly blobs: readonly { readonly name: string; readonly size: number }[]
}

/** Writes the ledger anew, over one that cannot be read; every database that is there stands in it. */
export const rewriteLedger = async (
  files: DatabaseFiles,
  content: {
    readonly current: string
    readonly generation: number
    readonly problem: string
    /** Oldest first. */
    readonly kept: readonly LedgerCopy[]
  }
): Promise<void> => {
  const { current, generation, problem, kept } = content
  const marker = await files.open(REWRITING)
  marker.script('CREATE TABLE IF NOT EXISTS rewriting (id INTEGER PRIMARY KEY) STRICT')
  marker.close()
  files.remove(LEDGER)
  const ledger = await files.open(LEDGER)
  try {
    ledger.script(`BEGIN IMMEDIATE; ${LEDGER_SCHEMA}`)
    ledger.run('UPDATE current SET file = ?, generation = ?, problem = ?', [current, generation, problem])
    for (const { file, kind, createdAt, bytes, schemaVersion, logPosition, blobs } of kept) {
      const row = [file, kind, createdAt, bytes, schemaVersion, logPosition]
      ledger.run('INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?)', row)
      for (const { name, size } of blobs) {
        ledger.run('INSERT OR IGNORE INTO kept_blobs VALUES (?, ?, ?)', [file, name, size])
      }
    }
    ledger.script('COMMIT')
  } finally {
    ledger.close()
  }
  files.remove(REWRITING)
}
