import type { ArchiveFinding, ArchivePort, ArchiveSegment, SealLog } from '../archive-port.ts'
import { FlowForgeError, isFlowForgeError, toFlowForgeError } from '../flowforge-error.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import { isAllowed, type ArchiveFolders } from './archive-folders.ts'
import type { ArchivedEvents } from './archived-events.ts'
import { SEGMENT_COLUMNS, toArchiveSegment, toSegment, type Segment } from './segment.ts'
import { readBack, type SegmentFiles } from './segment-files.ts'
import { putBack } from './segment-rows.ts'
import type { SegmentWriting } from './segment-writing.ts'
import { measureStreams, planSegments } from './stream-pieces.ts'

/** How many streams are looked at in one turn. */
const STREAMS_A_TURN = 500
const LIST = `SELECT ${SEGMENT_COLUMNS} FROM archive_segments ORDER BY id DESC`
const WAS_THERE = `SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'archive_segments' AND seq >= ?) AS was`

export type ArchiveParts = {
  readonly database: SqliteDatabase
  readonly transactions: Transactions
  readonly archived: ArchivedEvents
  readonly writing: SegmentWriting
  readonly files: SegmentFiles
  readonly folders: ArchiveFolders
  readonly seal: SealLog
}

/** The port over one open database. `close` waits for what goes on by itself. */
export const createArchive = (parts: ArchiveParts): ArchivePort & { readonly close: () => Promise<void> } => {
  const { database, transactions, archived, writing, files, folders, seal } = parts
  let isBusy = false

  /** One job at a time, and none while a folder is swept: what is being written there may look left behind. */
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    await sweeping
    if (isBusy) {
      throw new FlowForgeError('CONFLICT', 'The archive is being worked on. Wait until that is done.')
    }
    isBusy = true
    try {
      return await work()
    } finally {
      isBusy = false
    }
  }
  const inTurn = <T>(work: () => T): Promise<T> => transactions.perform(null, false, work)
  const listed = (): Segment[] => database.all(LIST).map(toSegment)
  const hasFolders = (): boolean => listed().some(({ place }) => place === 'folder')

  const sweep = async (): Promise<void> => {
    // While none was ever used, nobody need be asked.
    if (await inTurn(hasFolders)) await writing.sweep()
  }
  const sweeping = sweep().catch((thrown: unknown) => {
    // What was left behind is of no use to anybody, and is looked for again the next time.
    if (isFlowForgeError(thrown) && thrown.code === 'STORAGE_UNAVAILABLE') return
    console.error('What a crash left in the archive’s folder is still there', thrown)
  })

  /** Asks about many streams without keeping others waiting. */
  const someATurn = async <T>(aggregateIds: readonly string[], ask: (ids: string[]) => T): Promise<T[]> => {
    const ids = [...new Set(aggregateIds)]
    const answers: T[] = []
    for (let at = 0; at < ids.length; at += STREAMS_A_TURN) {
      // oxlint-disable-next-line no-await-in-loop -- some streams a turn
      answers.push(await inTurn(() => ask(ids.slice(at, at + STREAMS_A_TURN))))
    }
    return answers
  }

  const planAll = async (aggregateIds: readonly string[]): Promise<number[][]> => {
    // What is not sealed yet must be found in the log's table by who seals it.
    await seal()
    const sealed = await inTurn(() => database.all('SELECT max(last_position) AS position FROM log_seals'))
    const upTo = Number(sealed[0]?.['position'] ?? 0)
    return (await someATurn(aggregateIds, (ids) => planSegments(database, ids, upTo))).flat()
  }

  const measure: ArchivePort['measure'] = async ({ aggregateIds }) => {
    const measured = await someATurn(aggregateIds, (ids) => measureStreams(database, ids))
    return measured.reduce(
      (sum, { streams, events, bytes }) => ({
        streams: sum.streams + streams,
        events: sum.events + events,
        bytes: sum.bytes + bytes
      }),
      { streams: 0, events: 0, bytes: 0 }
    )
  }

  const move: ArchivePort['move'] = async ({ aggregateIds, folder, onProgress = () => undefined }) => {
    if (folder !== undefined) {
      await folders.remember(folder)
      await writing.sweep()
    }
    const plan = await planAll(aggregateIds)
    const ofEvents = plan.reduce((sum, { length }) => sum + length, 0)
    const segments: ArchiveSegment[] = []
    let doneEvents = 0
    try {
      for (const positions of plan) {
        onProgress({ doneEvents, ofEvents })
        // oxlint-disable-next-line no-await-in-loop -- one after the other: what was moved stays moved
        const { contentSha256: _contentSha256, ...segment } = await writing.write(positions, folder)
        segments.push(segment)
        doneEvents += positions.length
      }
    } finally {
      await inTurn(archived.look)
    }
    return segments
  }

  const find = async (segmentId: number): Promise<Segment | undefined> =>
    (await inTurn(listed)).find(({ id }) => id === segmentId)

  const readOrName = async (segment: Segment) => {
    try {
      return await readBack(files, segment, segment)
    } catch (thrown) {
      // One that may not be read is not a damaged one, and says so itself.
      if (isFlowForgeError(thrown)) throw thrown
      throw await inTurn(() => archived.damaged(segment, thrown))
    }
  }

  const bringBack: ArchivePort['bringBack'] = async ({ segmentId }) => {
    const segment = await find(segmentId)
    if (segment === undefined) {
      const [row] = await inTurn(() => database.all(WAS_THERE, [segmentId]))
      if (Number(row?.['was']) === 1) return
      throw new FlowForgeError('NOT_FOUND', `There is no archive segment ${segmentId}.`, { segmentId })
    }
    const content = await readOrName(segment)
    if (segment.place === 'folder') await folders.expect(segment)
    await transactions.perform(null, true, () => putBack(database, segment, content))
    await inTurn(archived.look)
    await writing.letGo(segment)
  }

  const findingOf = async (segment: Segment): Promise<ArchiveFinding | null> => {
    try {
      await readOrName(segment)
      return null
    } catch (thrown) {
      const { code, message } = toFlowForgeError(thrown)
      const { id: segmentId, fileName } = segment
      return { segmentId, fileName, isDamaged: code !== 'NOT_ALLOWED', message }
    }
  }

  const verify: ArchivePort['verify'] = async ({ segmentId, onSegment = () => undefined }) => {
    const all = await inTurn(listed)
    const chosen = all.filter(({ id }) => segmentId === undefined || id === segmentId)
    if (segmentId !== undefined && chosen.length === 0) {
      throw new FlowForgeError('NOT_FOUND', `There is no archive segment ${segmentId}.`, { segmentId })
    }
    const findings: ArchiveFinding[] = []
    for (const segment of chosen) {
      onSegment()
      // oxlint-disable-next-line no-await-in-loop -- one file in memory at a time
      const finding = await findingOf(segment)
      if (finding !== null) findings.push(finding)
    }
    return findings
  }

  return {
    measure,
    move: (args) => alone(() => move(args)),
    list: () => inTurn(() => database.all(LIST).map(toArchiveSegment)),
    verify,
    bringBack: (args) => alone(() => bringBack(args)),
    folders: async () =>
      Promise.all(
        (await folders.list()).map(async (handle) => ({
          name: handle.name,
          handle,
          isAllowed: await isAllowed(handle)
        }))
      ),
    connect: ({ folder }) => folders.remember(folder),
    close: async () => {
      await sweeping
    }
  }
}
