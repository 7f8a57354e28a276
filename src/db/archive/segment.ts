import type { ArchiveSegment } from '../archive-port.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import type { Row } from '../ports.ts'

/** What a row of `archive_segments` says of a file: enough to find it and to tell whether it is the one that was written. */
export type Segment = ArchiveSegment & { readonly contentSha256: string }

export const SEGMENT_COLUMNS = `id, file_name, place, sha256, bytes, content_sha256, content_bytes, event_count,
  stream_count, first_position, last_position, first_event_at, last_event_at, created_at`

export const toArchiveSegment = (row: Row): ArchiveSegment => ({
  id: Number(row['id']),
  fileName: String(row['file_name']),
  place: row['place'] === 'folder' ? 'folder' : 'storage',
  sha256: String(row['sha256']),
  bytes: Number(row['bytes']),
  contentBytes: Number(row['content_bytes']),
  events: Number(row['event_count']),
  streams: Number(row['stream_count']),
  firstPosition: Number(row['first_position']),
  lastPosition: Number(row['last_position']),
  firstEventAt: String(row['first_event_at']),
  lastEventAt: String(row['last_event_at']),
  createdAt: String(row['created_at'])
})

export const toSegment = (row: Row): Segment => ({
  ...toArchiveSegment(row),
  contentSha256: String(row['content_sha256'])
})

const NAMED_STREAMS = 5

/**
 * Names a segment whose events cannot be read, the streams that they are of, and what can be done.
 * @param why a sentence about its file
 */
export const damagedSegment = (
  segment: ArchiveSegment,
  streams: readonly string[],
  why: string,
  cause?: unknown
): FlowForgeError => {
  const named = streams.slice(0, NAMED_STREAMS).join(', ')
  const more = streams.length > NAMED_STREAMS ? ` and ${streams.length - NAMED_STREAMS} more` : ''
  const remedy =
    segment.place === 'folder'
      ? 'Put the file back into the folder, or restore a backup.'
      : 'Restore a backup to get it back.'
  return new FlowForgeError(
    'CORRUPT',
    `The archive segment ${segment.fileName} cannot be read. ${why} It holds ${segment.events} events at positions ${segment.firstPosition} to ${segment.lastPosition} (${named}${more}). Everything else is there. ${remedy}`,
    {
      segmentId: segment.id,
      fileName: segment.fileName,
      place: segment.place,
      streams,
      firstPosition: segment.firstPosition,
      lastPosition: segment.lastPosition
    },
    cause
  )
}
