import type { ArchivePort, SealLog } from '../archive-port.ts'
import type { BlobFiles } from '../blobs/blob-files.ts'
import type { FileStore } from '../blobs/file-store.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import { createArchive } from './archive.ts'
import { memoryArchiveFolders, openArchiveFolders, type ArchiveFolders } from './archive-folders.ts'
import { createArchivedEvents, type ArchivedEvents } from './archived-events.ts'
import { createFolderSegments, type FolderSegments } from './folder-segments.ts'
import { createSegmentCache } from './segment-cache.ts'
import { createSegmentFiles, type SegmentFiles } from './segment-files.ts'
import { createSegmentWriting } from './segment-writing.ts'
import { SEGMENT_COLUMNS, toSegment } from './segment.ts'

const OF_HASH = `SELECT ${SEGMENT_COLUMNS} FROM archive_segments WHERE sha256 = ?`

/** What reading through the archive takes. */
export type ArchiveReading = {
  readonly archived: ArchivedEvents
  readonly files: SegmentFiles
  readonly folders: ArchiveFolders
  readonly folderSegments: FolderSegments
  /** The files that a database names, by hash: blobs, and segments wherever they lie. */
  readonly named: FileStore
}

type Place = {
  readonly database: SqliteDatabase
  readonly transactions: Transactions
  readonly blobs: FileStore
  readonly storage: 'opfs' | 'memory'
  readonly directory: string
}

export const openArchiveReading = (place: Place): ArchiveReading => {
  const { database, transactions, blobs, storage, directory } = place
  // No handle outlives a storage in memory.
  const folders = storage === 'memory' ? memoryArchiveFolders() : openArchiveFolders(`${directory}-archive`)
  const folderSegments = createFolderSegments(folders)
  const files = createSegmentFiles(blobs, folderSegments)
  const openNamed: FileStore['open'] = async (name) => {
    const blob = await blobs.open(name)
    if (blob !== null) return blob
    const [segment] = await transactions.perform(null, false, () =>
      database.all(OF_HASH, [name]).map(toSegment)
    )
    return segment === undefined ? null : files.open(segment)
  }
  return {
    archived: createArchivedEvents(database, transactions, createSegmentCache(files)),
    files,
    folders,
    folderSegments,
    named: { ...blobs, open: openNamed }
  }
}

export const openArchive = (
  { database, transactions }: Pick<Place, 'database' | 'transactions'>,
  reading: ArchiveReading,
  world: {
    readonly blobFiles: BlobFiles
    readonly isKept: (sha256: string) => boolean
    readonly seal: SealLog
    readonly now: () => string
  }
): ArchivePort & { readonly close: () => Promise<void> } => {
  const writing = createSegmentWriting({ database, transactions, ...reading, ...world })
  return createArchive({ database, transactions, writing, ...reading, ...world })
}
