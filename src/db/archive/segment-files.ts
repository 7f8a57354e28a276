import type { FileStore } from '../blobs/file-store.ts'
import type { FolderSegments } from './folder-segments.ts'
import type { Segment } from './segment.ts'
import { decompressed, fromContentBytes, sha256Of, type SegmentContent } from './segment-content.ts'

/** What is expected of a file before it is believed. */
export type SegmentFacts = Pick<Segment, 'bytes' | 'sha256' | 'contentBytes' | 'contentSha256' | 'events'>

/** Why a segment's file is not the one that was written, in a sentence. */
export class SegmentDamage extends Error {
  override readonly name = 'SegmentDamage'
}

const expectSame = (isSame: boolean, message: string): void => {
  if (!isSame) throw new SegmentDamage(message)
}

/** Reads a file through: its hash, what is compressed in it and its hash, and every event. @throws SegmentDamage */
const readSegmentFile = async (file: Blob, facts: SegmentFacts): Promise<SegmentContent> => {
  expectSame(file.size === facts.bytes, `Its file has ${file.size} bytes; ${facts.bytes} were written.`)
  const sha256 = await sha256Of(new Uint8Array(await file.arrayBuffer()))
  expectSame(sha256 === facts.sha256, 'The bytes of its file are not those that were written.')
  const bytes = await decompressed(file)
  expectSame(
    bytes.byteLength === facts.contentBytes && (await sha256Of(bytes)) === facts.contentSha256,
    'What is compressed in its file is not what was written.'
  )
  const content = fromContentBytes(bytes)
  const { length } = content.rows
  expectSame(length === facts.events, `It has ${length} events instead of ${facts.events}.`)
  return content
}

export type SegmentName = Pick<Segment, 'sha256' | 'fileName' | 'place'>

/** Where the files of segments are. */
export type SegmentFiles = {
  /** Null where there is no such file. @throws FlowForgeError `NOT_ALLOWED` where it may not be read without asking a person */
  open(segment: SegmentName): Promise<Blob | null>
}

/** Beside the blobs, by hash; those of a folder as well, once they have come back with a backup. */
export const createSegmentFiles = (
  stored: Pick<FileStore, 'open'>,
  folders: Pick<FolderSegments, 'open'>
): SegmentFiles => ({
  open: async ({ sha256, fileName, place }) => {
    const file = await stored.open(sha256)
    return file === null && place === 'folder' ? folders.open(fileName) : file
  }
})

/** Opens a segment's file and reads it through. @throws SegmentDamage, and what `open` throws */
export const readBack = async (
  files: SegmentFiles,
  segment: SegmentName,
  facts: SegmentFacts
): Promise<SegmentContent> => {
  const file = await files.open(segment)
  if (file === null) throw new SegmentDamage('Its file is gone.')
  try {
    return await readSegmentFile(file, facts)
  } catch (thrown) {
    if (thrown instanceof SegmentDamage) throw thrown
    // Its hash was the right one, or it went away while it was being read.
    throw new SegmentDamage('What its file holds cannot be read.', { cause: thrown })
  }
}
