import { FlowForgeError, isFlowForgeError } from '../flowforge-error.ts'
import type { KeptCopy } from '../backup-port.ts'
import { namedFiles } from '../blobs/named-files.ts'
import type { DatabaseFiles } from '../sqlite/database-files.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Row } from '../ports.ts'
import { DATABASES, FIRST, LEDGER, LEDGER_SCHEMA, OWN, REWRITING } from './shelf-ledger.ts'

/** How often a replacement that has not opened yet is tried before what was there comes back. */
const ATTEMPTS = 3

export type Current = {
  readonly file: string
  /** Grows with every replacement: another generation is another history. */
  readonly generation: number
  /** Whether it has opened since it took its place. */
  readonly isSettled: boolean
  readonly attempts: number
  /** Why the last replacement was taken back, if it was. */
  readonly problem: string | null
}

/** The database that the program works on, and the copies kept beside it; a small database of its own says which is which. */
export type Shelf = {
  readonly current: () => Current
  readonly kept: () => KeptCopy[]
  /** Names of blob files that a kept copy still needs. */
  readonly keptBlobs: () => ReadonlySet<string>
  /** Puts a copy on the shelf, when it is whole. */
  readonly keep: (
    file: string,
    kind: KeptCopy['kind'],
    createdAt: string,
    of: SqliteDatabase
  ) => Promise<void>
  /** Takes a copy from the shelf and removes it; answers with the blob files that it named. */
  readonly drop: (file: string) => Promise<string[]>
  /**
   * The name for the next database that shall take the current one's place. There is a ledger before there is such a file:
   * one without a ledger tells that the ledger was lost.
   */
  readonly nextFile: () => Promise<string>
  /** Lets another file take the current one's place, which is kept: all of it or nothing. */
  readonly replace: (file: string, createdAt: string, current: SqliteDatabase) => Promise<void>
  /** The same for one that is damaged; every blob of these names stays with it. */
  readonly replaceDamaged: (
    file: string,
    createdAt: string,
    facts: KeptFacts,
    blobNames: readonly string[]
  ) => Promise<void>
  /** Notes a try to open a replacement. */
  readonly attempt: () => Promise<void>
  /** The replacement has opened: what was kept for earlier ones goes. */
  readonly settle: () => Promise<void>
  /** Gives the place back to what was there before. */
  readonly fallBack: (problem: string) => Promise<void>
}

export type KeptFacts = Pick<KeptCopy, 'bytes' | 'schemaVersion' | 'logPosition'>

export const factsOf = (
  database: SqliteDatabase
): { bytes: number; schemaVersion: number; logPosition: number } => {
  const [row] = database.allOnce(
    `SELECT (SELECT max(version) FROM schema_migrations) AS version,
            (SELECT coalesce(max(position), 0) FROM events) AS position,
            (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS bytes`
  )
  return {
    bytes: Number(row?.['bytes']),
    schemaVersion: Number(row?.['version']),
    logPosition: Number(row?.['position'])
  }
}

const toCurrent = (row: Row | undefined): Current => ({
  file: String(row?.['file'] ?? FIRST),
  generation: Number(row?.['generation'] ?? 0),
  isSettled: row === undefined || Number(row['is_settled']) === 1,
  attempts: Number(row?.['attempts'] ?? 0),
  problem: typeof row?.['problem'] === 'string' ? row['problem'] : null
})

const toKind = (kind: unknown): KeptCopy['kind'] =>
  kind === 'before-restore' || kind === 'damaged' ? kind : 'before-migration'

const toKept = (row: Row): KeptCopy => ({
  file: String(row['file']),
  kind: toKind(row['kind']),
  createdAt: String(row['created_at']),
  bytes: Number(row['bytes']),
  schemaVersion: Number(row['schema_version']),
  logPosition: Number(row['log_position'])
})

/** Latest first, whatever the clock says. */
const KEPT = `SELECT file, kind, created_at, schema_version, log_position,
  bytes + (SELECT coalesce(sum(size), 0) FROM kept_blobs AS b WHERE b.file = kept.file) AS bytes
  FROM kept ORDER BY rowid DESC`

const OF_THE_STORAGE: readonly string[] = ['STORAGE_FULL', 'STORAGE_UNAVAILABLE']

/** A ledger in which a row or a table is not what it was is as damaged as one that is no database. */
const toUnreadable = (thrown: unknown): never => {
  if (isFlowForgeError(thrown) && OF_THE_STORAGE.includes(thrown.code)) throw thrown
  const message =
    'The record of which database file is in use cannot be read. The databases themselves are where they were.'
  throw new FlowForgeError('CORRUPT', message, { file: LEDGER }, thrown)
}

/** Without a ledger the first database is current; but not where another has taken its place, or where it is gone. */
const expectNoneLost = (found: readonly string[]): void => {
  const isReplaced = found.some((name) => name.startsWith('/restored-'))
  const isGone = !found.includes(FIRST) && found.some((name) => DATABASES.test(name))
  if (!isReplaced && !isGone) return
  const message =
    'The record of which database file is in use is gone. The databases themselves are where they were; nothing was changed.'
  throw new FlowForgeError('CORRUPT', message, { file: LEDGER, found })
}

/** Reads the shelf, and clears away what a crash left beside it. */
export const openShelf = async (files: DatabaseFiles): Promise<Shelf> => {
  let current = toCurrent(undefined)
  let kept: KeptCopy[] = []
  let blobs: ReadonlySet<string> = new Set()

  const load = (ledger: SqliteDatabase): void => {
    current = toCurrent(ledger.allOnce('SELECT * FROM current')[0])
    kept = ledger.allOnce(KEPT).map(toKept)
    blobs = new Set(ledger.allOnce('SELECT DISTINCT blob FROM kept_blobs').map((row) => String(row['blob'])))
  }
  /** Changes the ledger in one transaction; nobody else has it open. */
  const change = async (work: (ledger: SqliteDatabase) => void): Promise<void> => {
    const ledger = await files.open(LEDGER)
    try {
      ledger.script(`BEGIN IMMEDIATE; ${LEDGER_SCHEMA}`)
      work(ledger)
      ledger.script('COMMIT')
      load(ledger)
    } finally {
      // An open transaction is rolled back with it.
      ledger.close()
    }
  }

  const put = (ledger: SqliteDatabase, file: string, kind: string, at: string, of: SqliteDatabase): void => {
    const { bytes, schemaVersion, logPosition } = factsOf(of)
    const row = [file, kind, at, bytes, schemaVersion, logPosition]
    ledger.allOnce('INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?)', row)
    ledger.allOnce('DELETE FROM kept_blobs WHERE file = ?', [file])
    for (const { name, size } of namedFiles(of)) {
      ledger.run('INSERT OR IGNORE INTO kept_blobs VALUES (?, ?, ?)', [file, name, size])
    }
  }
  const supersede = (ledger: SqliteDatabase, file: string): void => {
    take(ledger, file)
    ledger.allOnce(
      `UPDATE current SET file = ?, generation = generation + 1, is_settled = 0, attempts = 0, problem = NULL`,
      [file]
    )
  }
  const take = (ledger: SqliteDatabase, file: string): void => {
    ledger.allOnce('DELETE FROM kept WHERE file = ?', [file])
    ledger.allOnce('DELETE FROM kept_blobs WHERE file = ?', [file])
  }
  const sweep = (): void => {
    const names = files.names()
    const needed = new Set([current.file, ...kept.map(({ file }) => file)])
    for (const name of names) if (OWN.test(name) && !needed.has(name)) files.remove(name)
  }

  if (files.names().includes(REWRITING)) {
    const message = 'Which database file is the current one is not known: a rescue broke off.'
    throw new FlowForgeError('CORRUPT', message, { found: files.names() })
  }
  if (files.names().includes(LEDGER)) {
    await change(() => undefined).catch(toUnreadable)
    if (!files.names().includes(current.file)) {
      const message = `The database file ${current.file} is gone from this browser's storage. Nothing was changed.`
      throw new FlowForgeError('CORRUPT', message, { file: current.file, found: files.names() })
    }
  } else expectNoneLost(files.names())
  sweep()

  return {
    current: () => current,
    kept: () => kept,
    keptBlobs: () => blobs,
    keep: (file, kind, createdAt, of) => change((ledger) => put(ledger, file, kind, createdAt, of)),
    drop: async (file) => {
      let named: string[] = []
      await change((ledger) => {
        const rows = ledger.allOnce('SELECT blob FROM kept_blobs WHERE file = ?', [file])
        named = rows.map((row) => String(row['blob']))
        take(ledger, file)
      })
      files.remove(file)
      return named
    },
    nextFile: async () => {
      if (!files.names().includes(LEDGER)) await change(() => undefined)
      return `/restored-${current.generation + 1}.db`
    },
    replace: (file, createdAt, database) =>
      change((ledger) => {
        put(ledger, current.file, 'before-restore', createdAt, database)
        supersede(ledger, file)
      }),
    replaceDamaged: (file, createdAt, { bytes, schemaVersion, logPosition }, blobNames) =>
      change((ledger) => {
        const row = [current.file, 'damaged', createdAt, bytes, schemaVersion, logPosition]
        ledger.allOnce('INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?)', row)
        for (const name of blobNames) {
          ledger.run('INSERT OR IGNORE INTO kept_blobs VALUES (?, ?, 0)', [current.file, name])
        }
        supersede(ledger, file)
      }),
    attempt: () =>
      change((ledger) => ledger.script('UPDATE current SET attempts = attempts + 1')).then(() => {
        if (current.attempts > ATTEMPTS) {
          throw new FlowForgeError('INTERNAL', `It did not open in ${ATTEMPTS} attempts.`)
        }
      }),
    settle: async () => {
      await change((ledger) => {
        const [, ...older] = kept.filter(({ kind }) => kind === 'before-restore')
        for (const { file } of older) take(ledger, file)
        ledger.script('UPDATE current SET is_settled = 1, attempts = 0')
      })
      sweep()
    },
    fallBack: async (problem) => {
      const before = kept.find(({ kind }) => kind !== 'before-migration')
      if (before === undefined)
        throw new FlowForgeError('CORRUPT', `${problem} Nothing was kept from before.`)
      await change((ledger) => {
        take(ledger, before.file)
        ledger.allOnce(
          `UPDATE current SET file = ?, generation = generation + 1, is_settled = 1, attempts = 0, problem = ?`,
          [before.file, problem]
        )
      })
    }
  }
}
