import type { ArchiveFinding, ArchivePort, ArchiveSegment, SealLog } from '../archive-port.ts'
import type { BlobFiles } from '../blobs/blob-files.ts'
import type { StoredFile } from '../blobs/file-store.ts'
import { FlowForgeError, toFlowForgeError } from '../flowforge-error.ts'
import type { Row } from '../ports.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import type { ArchivedEvents } from './archived-events.ts'
import { SEGMENT_COLUMNS, toArchiveSegment, toSegment, type Segment } from './segment.ts'
import { compressed, sha256Of, toContentBytes } from './segment-content.ts'
import { readSegmentFile, SegmentDamage, type SegmentFacts, type SegmentFiles } from './segment-files.ts'
import { putBack, readRows, takeOut } from './segment-rows.ts'
import { measureStreams, planSegments } from './stream-pieces.ts'

/** How many streams are looked at in one turn. */
const STREAMS_A_TURN = 500
const LIST = `SELECT ${SEGMENT_COLUMNS} FROM archive_segments ORDER BY id DESC`
const WAS_THERE = `SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'archive_segments' AND seq >= ?) AS was`

export type ArchiveParts = {
  readonly database: SqliteDatabase
  readonly transactions: Transactions
  readonly archived: ArchivedEvents
  readonly blobFiles: BlobFiles
  readonly files: SegmentFiles
  readonly seal: SealLog
  readonly now: () => string
}

const segmentFacts = async (
  content: Uint8Array<ArrayBuffer>,
  rows: readonly Row[],
  file: Pick<StoredFile, 'size' | 'sha256'>
): Promise<SegmentFacts> => ({
  bytes: file.size,
  sha256: file.sha256,
  contentBytes: content.byteLength,
  contentSha256: await sha256Of(content),
  events: rows.length
})

const placeInTime = (rows: readonly Row[]) => {
  const times = rows.map((row) => String(row['created_at'])).toSorted()
  return {
    firstPosition: Number(rows[0]?.['position']),
    lastPosition: Number(rows.at(-1)?.['position']),
    firstEventAt: times[0] ?? '',
    lastEventAt: times.at(-1) ?? ''
  }
}

export const createArchive = (parts: ArchiveParts): ArchivePort => {
  const { database, transactions, archived, blobFiles, files, seal, now } = parts
  let isBusy = false

  /** One job at a time. */
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
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

  const readBack = async (segment: Pick<Segment, 'sha256' | 'fileName' | 'place'>, facts: SegmentFacts) => {
    const file = await files.open(segment)
    if (file === null) throw new SegmentDamage('Its file is gone.')
    return readSegmentFile(file, facts)
  }

  const record = async (
    file: StoredFile,
    content: Uint8Array<ArrayBuffer>,
    rows: readonly Row[]
  ): Promise<Segment> => {
    const named = { sha256: file.sha256, fileName: file.name, place: 'storage' } as const
    const facts = await segmentFacts(content, rows, file)
    await readBack(named, facts)
    archived.expect()
    return transactions.perform(null, true, () =>
      takeOut(
        database,
        { ...named, ...facts, ...placeInTime(rows), createdAt: now() },
        rows.map((row) => Number(row['position']))
      )
    )
  }

  const moveSegment = async (positions: readonly number[]): Promise<Segment> => {
    const rows = await inTurn(() => readRows(database, positions))
    const content = toContentBytes(rows)
    return blobFiles.write(compressed(content), (file) => record(file, content, rows))
  }

  const move: ArchivePort['move'] = async ({ aggregateIds, onProgress = () => undefined }) => {
    // What is not sealed yet must be found in the log's table by who seals it.
    await seal()
    const sealed = await inTurn(() => database.all('SELECT max(last_position) AS position FROM log_seals'))
    const upTo = Number(sealed[0]?.['position'] ?? 0)
    const ids = [...new Set(aggregateIds)]
    const plan: number[][] = []
    for (let at = 0; at < ids.length; at += STREAMS_A_TURN) {
      // oxlint-disable-next-line no-await-in-loop -- some streams a turn
      plan.push(...(await inTurn(() => planSegments(database, ids.slice(at, at + STREAMS_A_TURN), upTo))))
    }
    const ofEvents = plan.reduce((sum, { length }) => sum + length, 0)
    const segments: ArchiveSegment[] = []
    let doneEvents = 0
    try {
      for (const positions of plan) {
        onProgress({ doneEvents, ofEvents })
        // oxlint-disable-next-line no-await-in-loop -- one after the other: what was moved stays moved
        const { contentSha256: _contentSha256, ...segment } = await moveSegment(positions)
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
      return await readBack(segment, segment)
    } catch (thrown) {
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
    await transactions.perform(null, true, () => putBack(database, segment, content))
    await inTurn(archived.look)
    blobFiles.release(segment.sha256)
    await blobFiles.settled()
  }

  const verify: ArchivePort['verify'] = async ({ segmentId }) => {
    const all = await inTurn(listed)
    const chosen = all.filter(({ id }) => segmentId === undefined || id === segmentId)
    if (segmentId !== undefined && chosen.length === 0) {
      throw new FlowForgeError('NOT_FOUND', `There is no archive segment ${segmentId}.`, { segmentId })
    }
    const findings: ArchiveFinding[] = []
    for (const segment of chosen) {
      // oxlint-disable-next-line no-await-in-loop -- one file in memory at a time
      const finding = await readOrName(segment).then(
        () => null,
        (thrown: unknown) => toFlowForgeError(thrown).message
      )
      if (finding === null) continue
      findings.push({ segmentId: segment.id, fileName: segment.fileName, message: finding })
    }
    return findings
  }

  return {
    measure: ({ aggregateIds }) => inTurn(() => measureStreams(database, aggregateIds)),
    move: (args) => alone(() => move(args)),
    list: () => inTurn(() => database.all(LIST).map(toArchiveSegment)),
    verify,
    bringBack: (args) => alone(() => bringBack(args))
  }
}
