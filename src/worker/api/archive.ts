import { z } from 'zod'
import type { ArchiveFinding, ArchiveFolder, ArchiveProgress, ArchiveSegment } from '../../db/ports.ts'
import type { In } from './parts.ts'

/** ISO-8601 UTC: streams that ended later are left alone. */
const EndedBefore = z.iso.datetime().optional()
/** Absent where nothing has file systems: in tests in Node. */
const isFolder = (value: unknown): boolean =>
  typeof FileSystemDirectoryHandle !== 'undefined' && value instanceof FileSystemDirectoryHandle
const Folder = z.custom<FileSystemDirectoryHandle>(isFolder, 'is no folder')
const SegmentId = z.number().int().min(1)

export const archiveInputs = {
  /** + What could be archived: runs that have ended, workflows and data sources that were removed. */
  preview: z.strictObject({ endedBefore: EndedBefore }).optional(),
  /** + Archives all of that, into a folder that the person chose where one is given; answers with what came of it. */
  create: z.strictObject({ endedBefore: EndedBefore, folder: Folder.optional() }).optional(),
  /** + Every segment, latest first, and how far a job that is under way has come. */
  list: z.strictObject({}).optional(),
  /** + Reads segments through, or one, and names those that cannot be read. */
  verify: z.strictObject({ segmentId: SegmentId.optional() }).optional(),
  /** + Puts a segment's events back into the database and removes its file. */
  restore: z.strictObject({ segmentId: SegmentId }),
  /** + The folders that were chosen for segments, and whether they may be used without asking the person. */
  folders: z.strictObject({}).optional(),
  /** + Segments are looked for in this folder, too: after they were moved, or in a browser that has forgotten. */
  connect: z.strictObject({ folder: Folder })
} as const

type Inputs = { [K in keyof typeof archiveInputs]: In<(typeof archiveInputs)[K]> }

export type ArchivePreview = {
  /** How many streams, by aggregate type: `run`, `workflow`, `datasource`. */
  streams: Readonly<Record<string, number>>
  events: number
  /** What they take up in the database, about; it becomes free for what is written next. */
  bytes: number
}

export type ArchiveApi = {
  preview(args?: Inputs['preview']): Promise<ArchivePreview>
  create(args?: Inputs['create']): Promise<{ segments: readonly ArchiveSegment[] }>
  list(
    args?: Inputs['list']
  ): Promise<{ segments: readonly ArchiveSegment[]; progress: ArchiveProgress | null }>
  verify(args?: Inputs['verify']): Promise<{ findings: readonly ArchiveFinding[]; segments: number }>
  restore(args: Inputs['restore']): Promise<void>
  folders(args?: Inputs['folders']): Promise<readonly ArchiveFolder[]>
  connect(args: Inputs['connect']): Promise<void>
}
