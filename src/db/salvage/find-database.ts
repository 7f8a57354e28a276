import { DATABASES, rewriteLedger, type LedgerCopy } from '../backup/shelf-ledger.ts'
import { factsOf } from '../backup/shelf.ts'
import { namedFiles } from '../blobs/named-files.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import type { FoundDatabase } from '../salvage-port.ts'
import type { StoragePlace } from '../sqlite/sqlite-context.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

type Candidate = {
  readonly file: string
  /** Null where it does not open. */
  readonly facts: (ReturnType<typeof factsOf> & { readonly lastWrittenAt: string }) | null
  readonly bytes: number
  readonly blobs: LedgerCopy['blobs']
}

/** Whatever tells when something was written last; an older schema lacks some. */
const TIMES = [
  'SELECT created_at AS at FROM events ORDER BY position DESC LIMIT 1',
  'SELECT max(sealed_at) AS at FROM log_seals',
  'SELECT max(created_at) AS at FROM health_reports',
  'SELECT max(applied_at) AS at FROM schema_migrations'
]

const lastWrittenAt = (database: SqliteDatabase): string =>
  TIMES.map((sql) => {
    try {
      return String(database.allOnce(sql)[0]?.['at'] ?? '')
    } catch {
      return ''
    }
  }).reduce((latest, at) => (at > latest ? at : latest), '')

const isCopy = (file: string): boolean => file.startsWith('/before-')
/** `/restored-3.db` came after `/restored-2.db`, and both after the first. */
const numberOf = (file: string): number => Number(/\d+/.exec(file)?.[0] ?? 0)

/** The best first: one that opens, that is no copy from before an update, that was written to last. */
const compare = (one: Candidate, other: Candidate): number =>
  Number(other.facts !== null) - Number(one.facts !== null) ||
  Number(isCopy(one.file)) - Number(isCopy(other.file)) ||
  (other.facts?.lastWrittenAt ?? '').localeCompare(one.facts?.lastWrittenAt ?? '') ||
  numberOf(other.file) - numberOf(one.file)

/**
 * Finds the newest database that opens among a storage's files, and writes the shelf's ledger anew: that one is current,
 * every other is kept. Nothing is deleted. @throws FlowForgeError `NOT_FOUND` where there is no database at all
 */
export const findDatabase = async (
  { databases, blobs }: StoragePlace,
  openToRead: (file: string) => Promise<SqliteDatabase>,
  now: () => string
): Promise<FoundDatabase> => {
  const allBlobs = (await blobs.names()).map((name) => ({ name, size: 0 }))

  const look = async (file: string): Promise<Candidate> => {
    const bytes = databases.size(file)
    try {
      const database = await openToRead(file)
      try {
        const facts = { ...factsOf(database), lastWrittenAt: lastWrittenAt(database) }
        return { file, facts, bytes, blobs: namedFiles(database) }
      } finally {
        database.close()
      }
    } catch {
      // It is listed as damaged, and whatever it named stays.
      return { file, facts: null, bytes, blobs: allBlobs }
    }
  }

  const candidates: Candidate[] = []
  for (const file of databases.names()) {
    // oxlint-disable-next-line no-await-in-loop -- one file open at a time
    if (DATABASES.test(file)) candidates.push(await look(file))
  }
  const [found, ...others] = candidates.toSorted(compare)
  if (found === undefined) {
    const message = 'There is no database in this browser’s storage any more. Restore a backup.'
    throw new FlowForgeError('NOT_FOUND', message, { found: databases.names() })
  }
  const kindOf = ({ file, facts }: Candidate): LedgerCopy['kind'] => {
    if (facts === null) return 'damaged'
    return isCopy(file) ? 'before-migration' : 'before-restore'
  }
  await rewriteLedger(databases, {
    current: found.file,
    generation: Math.max(...candidates.map(({ file }) => (isCopy(file) ? 0 : numberOf(file)))) + 1,
    problem: `The record of which database file is in use was damaged or gone. ${found.file.slice(1)} was written to last, and was taken; the other files are kept.`,
    kept: others.toReversed().map((candidate) => ({
      file: candidate.file,
      kind: kindOf(candidate),
      createdAt: candidate.facts?.lastWrittenAt || now(),
      bytes: candidate.facts?.bytes ?? candidate.bytes,
      schemaVersion: candidate.facts?.schemaVersion ?? 0,
      logPosition: candidate.facts?.logPosition ?? 0,
      blobs: candidate.blobs
    }))
  })
  return {
    file: found.file,
    opens: found.facts !== null,
    logPosition: found.facts?.logPosition ?? 0,
    lastWrittenAt: found.facts?.lastWrittenAt || null,
    kept: others.map(({ file }) => file)
  }
}
