import type { ArchiveProgress, DbContext } from '../db/ports.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { findEndedStreams } from './ended-streams.ts'
import { handler } from './handler.ts'

const inputs = flowForgeInputs.archive

const idsOf = (streams: readonly { readonly aggregateId: string }[]): string[] =>
  streams.map(({ aggregateId }) => aggregateId)

/** The log's archive. Each of these calls may be sent again: what is archived, or back, is left at that. */
export const createArchiveHandlers = (
  context: Pick<DbContext, 'archive' | 'projectionStore'>
): FlowForgeApi['archive'] => {
  const { archive } = context
  let progress: ArchiveProgress | null = null

  return {
    preview: handler('archive.preview', inputs.preview, async (args) => {
      const ended = await findEndedStreams(context, args?.endedBefore)
      const { events, bytes } = await archive.measure({ aggregateIds: idsOf(ended) })
      const streams: Record<string, number> = {}
      for (const { aggregateType } of ended) streams[aggregateType] = (streams[aggregateType] ?? 0) + 1
      return { streams, events, bytes }
    }),
    create: handler('archive.create', inputs.create, async (args) => {
      try {
        const ended = await findEndedStreams(context, args?.endedBefore)
        const segments = await archive.move({
          aggregateIds: idsOf(ended),
          folder: args?.folder,
          onProgress: (next) => {
            progress = next
          }
        })
        return { segments }
      } finally {
        progress = null
      }
    }),
    list: handler('archive.list', inputs.list, async () => ({ segments: await archive.list(), progress })),
    verify: handler('archive.verify', inputs.verify, async (args) => {
      const findings = await archive.verify({ segmentId: args?.segmentId })
      return { findings, segments: args?.segmentId === undefined ? (await archive.list()).length : 1 }
    }),
    restore: handler('archive.restore', inputs.restore, ({ segmentId }) => archive.bringBack({ segmentId })),
    folders: handler('archive.folders', inputs.folders, () => archive.folders()),
    connect: handler('archive.connect', inputs.connect, ({ folder }) => archive.connect({ folder }))
  }
}
