import type { Segment } from './segment.ts'
import type { SegmentContent } from './segment-content.ts'
import { readBack, type SegmentFiles } from './segment-files.ts'

/** How much of what nobody holds is kept for the next one who asks, in bytes of content. */
const KEPT_BYTES = 16 * 1024 * 1024

/** The events of segments that were read and found sound, in memory. */
export type SegmentCache = {
  /** What is in memory; reading it is no turn of anybody's. */
  get(segmentId: number): SegmentContent | undefined
  /**
   * Reads a segment, unless it is in memory; it stays there until the function that this answers with is called.
   * @throws SegmentDamage for a file that is missing, or not the one that was written, and what opening it throws
   */
  hold(segment: Segment): Promise<() => void>
  /** Its events are back in the log. */
  forget(segmentId: number): void
}

type Kept = { readonly segment: Segment; readonly content: SegmentContent }

export const createSegmentCache = (files: SegmentFiles): SegmentCache => {
  /** Those used longest ago first. */
  const kept = new Map<number, Kept>()
  const holds = new Map<number, number>()
  const loading = new Map<number, Promise<SegmentContent>>()

  const trim = (): void => {
    let bytes = [...kept.values()].reduce((sum, { segment }) => sum + segment.contentBytes, 0)
    for (const [id, { segment }] of kept) {
      if (bytes <= KEPT_BYTES) return
      if (holds.has(id)) continue
      kept.delete(id)
      bytes -= segment.contentBytes
    }
  }

  /** Whoever asks for a segment that is being read waits for the same reading. */
  const load = (segment: Segment): Promise<SegmentContent> => {
    const found = kept.get(segment.id)
    if (found !== undefined) return Promise.resolve(found.content)
    const underWay = loading.get(segment.id)
    if (underWay !== undefined) return underWay
    const reading = readBack(files, segment, segment).finally(() => loading.delete(segment.id))
    loading.set(segment.id, reading)
    return reading
  }

  const letGo = (id: number): void => {
    const count = (holds.get(id) ?? 0) - 1
    if (count > 0) holds.set(id, count)
    else holds.delete(id)
    trim()
  }

  return {
    get: (id) => kept.get(id)?.content,
    hold: async (segment) => {
      const content = await load(segment)
      kept.delete(segment.id)
      kept.set(segment.id, { segment, content })
      holds.set(segment.id, (holds.get(segment.id) ?? 0) + 1)
      trim()
      return () => letGo(segment.id)
    },
    forget: (id) => {
      kept.delete(id)
    }
  }
}
