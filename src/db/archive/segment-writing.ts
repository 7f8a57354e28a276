import type { BlobFiles } from '../blobs/blob-files.ts'
import type { Row } from '../ports.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import type { ArchiveFolders, PendingFile } from './archive-folders.ts'
import type { ArchivedEvents } from './archived-events.ts'
import type { FolderSegments } from './folder-segments.ts'
import type { Segment } from './segment.ts'
import { compressed, sha256Of, toContentBytes } from './segment-content.ts'
import { readBack, type SegmentFiles, type SegmentName } from './segment-files.ts'
import { readRows, takeOut } from './segment-rows.ts'

const IS_NAMED = 'SELECT 1 FROM archive_segments WHERE file_name = ?'

/** Makes segments of events and lets go of their files. */
export type SegmentWriting = {
  /** Writes a file, reads it back, and lets it take the place of the events at these positions. */
  write(positions: readonly number[], folder?: FileSystemDirectoryHandle): Promise<Segment>
  /** Removes the file of a segment that is no more, unless a kept copy of the database needs it. */
  letGo(segment: SegmentName): Promise<void>
  /** Removes from folders what was written there and is no segment. */
  sweep(): Promise<void>
}

type Parts = {
  readonly database: SqliteDatabase
  readonly transactions: Transactions
  readonly archived: ArchivedEvents
  readonly blobFiles: BlobFiles
  readonly files: SegmentFiles
  readonly folders: ArchiveFolders
  readonly folderSegments: FolderSegments
  /** Whether a copy of the database that is kept beside it needs the file of this hash. */
  readonly isKept: (sha256: string) => boolean
  readonly now: () => string
}

const placeInTime = (rows: readonly Row[]) => {
  const times = rows.map((row) => String(row['created_at'])).toSorted()
  return {
    firstPosition: Number(rows[0]?.['position']),
    lastPosition: Number(rows.at(-1)?.['position']),
    firstEventAt: times[0] ?? '',
    lastEventAt: times.at(-1) ?? ''
  }
}

export const createSegmentWriting = (parts: Parts): SegmentWriting => {
  const { database, transactions, archived, blobFiles, files, folders, folderSegments, isKept, now } = parts
  const inTurn = <T>(work: () => T): Promise<T> => transactions.perform(null, false, work)

  const record = async (
    name: SegmentName,
    bytes: number,
    content: Uint8Array<ArrayBuffer>,
    rows: readonly Row[]
  ): Promise<Segment> => {
    const facts = {
      bytes,
      sha256: name.sha256,
      contentBytes: content.byteLength,
      contentSha256: await sha256Of(content),
      events: rows.length
    }
    await readBack(files, name, facts)
    archived.expect()
    return transactions.perform(null, true, () =>
      takeOut(
        database,
        { ...name, ...facts, ...placeInTime(rows), createdAt: now() },
        rows.map((row) => Number(row['position']))
      )
    )
  }

  /** What the row of a segment names, or a kept copy needs, is not touched; what a folder keeps is tried again later. */
  const removeUnnamed = async ({ fileName, sha256 }: PendingFile): Promise<void> => {
    const [row] = await inTurn(() => database.all(IS_NAMED, [fileName]))
    if (row === undefined && !isKept(sha256)) {
      const left = await folderSegments.remove(fileName)
      if (left.length > 0) return
    }
    await folders.settle(fileName)
  }

  const writeIntoFolder = async (
    folder: FileSystemDirectoryHandle,
    content: Uint8Array<ArrayBuffer>,
    rows: readonly Row[]
  ): Promise<Segment> => {
    const bytes = new Uint8Array(await new Response(compressed(content)).arrayBuffer())
    const sha256 = await sha256Of(bytes)
    const { firstPosition, lastPosition } = placeInTime(rows)
    const fileName = `flowforge-segment-${firstPosition}-${lastPosition}-${sha256.slice(0, 12)}.ndjson.gz`
    const file = { fileName, sha256 }
    await folders.expect(file)
    try {
      await folderSegments.write(folder, fileName, bytes)
      const segment = await record({ ...file, place: 'folder' }, bytes.byteLength, content, rows)
      await folders.settle(fileName)
      return segment
    } catch (thrown) {
      await removeUnnamed(file).catch((left: unknown) => {
        // It is looked for again at the next move; the first failure is the one to tell.
        console.error(`The file ${fileName} is left in the archive’s folder`, left)
      })
      throw thrown
    }
  }

  return {
    write: async (positions, folder) => {
      const rows = await inTurn(() => readRows(database, positions))
      const content = toContentBytes(rows)
      if (folder !== undefined) return writeIntoFolder(folder, content, rows)
      return blobFiles.write(compressed(content), ({ name, sha256, size }) =>
        record({ fileName: name, sha256, place: 'storage' }, size, content, rows)
      )
    },
    letGo: async (segment) => {
      if (segment.place === 'folder') await removeUnnamed(segment)
      // A segment of a folder stands here, too, once it has come back with a backup.
      blobFiles.release(segment.sha256)
      await blobFiles.settled()
    },
    sweep: async () => {
      for (const file of await folders.pending()) {
        // oxlint-disable-next-line no-await-in-loop -- none, as a rule
        await removeUnnamed(file)
      }
    }
  }
}
