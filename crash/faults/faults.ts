import type { Mode } from '../simulation/simulate.ts'
import type { Fault } from './fault.ts'

/** What finds a fault: so many simulated kills, an event that is sent again, or a test of this name. */
export type Finder =
  | { readonly kind: 'kills'; readonly mode: Mode; readonly kills: number }
  | { readonly kind: 'resend' }
  | { readonly kind: 'test'; readonly file: string; readonly name: string }

type PlantedFault = Fault & { readonly by: Finder }

const sound = (kills: number): Finder => ({ kind: 'kills', mode: 'sound', kills })

/** Mistakes that somebody could make. Each has to be found, or `npm run crash -- --faults` fails. */
export const FAULTS: readonly PlantedFault[] = [
  {
    name: 'the expected seq is not looked at',
    file: 'src/db/sqlite/event-lines.ts',
    original: 'if (expectedSeq !== undefined && expectedSeq !== found) {',
    replacement: 'if (expectedSeq === -1) {',
    by: sound(300)
  },
  {
    name: 'a savepoint is not rolled back',
    file: 'src/db/sqlite/savepoints.ts',
    original: 'database.run(`ROLLBACK TO ${name}`)',
    replacement: '',
    by: sound(300)
  },
  {
    name: 'a checkpoint commits before its rows',
    file: 'src/worker/projections/follow.ts',
    original: `await context.tx.runInTransaction(async (tx) => {
      await tx.projectionStore.apply({ changes })
      await saveCheckpoint(tx, projection.name, checkpoint)
    })`,
    replacement: `await saveCheckpoint(context, projection.name, checkpoint)
    await context.projectionStore.apply({ changes })`,
    by: sound(1_500)
  },
  {
    name: 'an inline projection keeps no checkpoint',
    file: 'src/worker/projections/inline.ts',
    original: 'await tx.projectionStore.query({ sql: CHECKPOINTS, params: [JSON.stringify(checkpoints)] })',
    replacement: 'void CHECKPOINTS, checkpoints',
    by: sound(300)
  },
  {
    name: 'an id that is stored is not known again',
    file: 'src/db/sqlite/event-appending.ts',
    original: 'if (before !== undefined) {',
    replacement: 'if (before !== undefined && isLine(before)) {',
    by: {
      kind: 'test',
      file: 'src/db/sqlite/memory.test.ts',
      name: 'the same id appended again answers with the stored event'
    }
  },
  {
    name: 'a command that is sent again is carried out again',
    file: 'src/worker/once.ts',
    original: 'if (await noteCall(tx, callId, world.now())) await work(tx)',
    replacement: `await noteCall(tx, callId, world.now())
      await work(tx)`,
    by: { kind: 'test', file: 'src/worker/once.test.ts', name: '' }
  },
  {
    name: 'the hash chain compares no event',
    file: 'src/db/log/verify-chain.ts',
    original: 'if (isSameHash(found[index], sealed[index])) continue',
    replacement: 'if (index >= 0) continue',
    by: { kind: 'test', file: 'src/db/log/chain.test.ts', name: 'a log that somebody changed' }
  },
  {
    name: 'the hash chain does not link its seals',
    file: 'src/db/log/verify-chain.ts',
    original: "if (seal.previousSha256 !== (previous?.sha256 ?? null)) return { kind: 'broken-link' }",
    replacement: '',
    by: { kind: 'test', file: 'src/db/log/chain.test.ts', name: 'a log that somebody changed' }
  },
  {
    name: 'a seal is written over the wrong events',
    file: 'src/db/log/sealing.ts',
    original: 'const eventHashes = joinHashes(rows.map(hashes.ofEvent))',
    replacement: 'const eventHashes = joinHashes(rows.toReversed().map(hashes.ofEvent))',
    by: sound(300)
  },
  {
    name: 'a caller is answered before COMMIT',
    file: 'src/db/sqlite/commit-group.ts',
    original: `    else savepoints.commit()
    answer(units, outcomes)`,
    replacement: `    answer(units, outcomes)
    if (!(outcomes.length === 1 && outcomes[0]?.ok === false)) savepoints.commit()`,
    by: { kind: 'kills', mode: 'full', kills: 1_500 }
  },
  {
    name: 'commits are not flushed',
    file: 'src/db/sqlite/open-database.ts',
    original: "expectPragma(database, 'synchronous', 'FULL')",
    replacement: "database.script('PRAGMA synchronous = OFF')",
    by: sound(300)
  },
  {
    name: 'commits are flushed with the next checkpoint alone',
    file: 'src/db/sqlite/open-database.ts',
    original: "expectPragma(database, 'synchronous', 'FULL')",
    replacement: "database.script('PRAGMA synchronous = NORMAL')",
    by: sound(300)
  },
  {
    name: 'what is gathered for the log is not written before it is flushed',
    file: 'src/db/sqlite/wal-writing.ts',
    original: 'const result = flushOut(file)\n    return result === OK ? sync(file, flags) : result',
    replacement: 'return sync(file, flags)',
    by: sound(300)
  },
  {
    name: 'what is gathered for the log outlives its transaction',
    file: 'src/db/sqlite/wal-writing.ts',
    original: '    gathered.length = 0\n    if (result === OK) gathered.isFirst = false',
    replacement: '    if (result === OK) Object.assign(gathered, { length: 0, isFirst: false })',
    by: {
      kind: 'test',
      file: 'src/db/sqlite/wal-writing.browser.test.ts',
      name: 'never writes later what there was no room for'
    }
  },
  {
    name: 'what is gathered for the log is not found by who reads it',
    file: 'src/db/sqlite/wal-writing.ts',
    original: 'if (length === 0 || first >= last',
    replacement: 'if (length >= 0 || first >= last',
    by: {
      kind: 'test',
      file: 'src/db/sqlite/wal-writing.browser.test.ts',
      name: 'is read where it was gathered and not yet flushed'
    }
  },
  {
    name: 'a pool that cannot be opened is deleted',
    file: 'src/db/sqlite/open-database.ts',
    original: 'preserveOnInitFailure: true,',
    replacement: 'preserveOnInitFailure: false,',
    by: sound(600)
  },
  {
    name: 'what is recovered from the WAL is not flushed before it is read',
    file: 'src/db/sqlite/open-database.ts',
    original: "if (storage === 'opfs') keepRecovered(database)",
    replacement: 'void keepRecovered',
    by: { kind: 'resend' }
  },
  {
    name: 'a blob is named before its file is flushed',
    file: 'src/db/blobs/opfs-file-store.ts',
    original: '      access.flush()\n',
    replacement: '',
    by: sound(1_500)
  }
]
