import { z } from 'zod'
import type { DbContext } from '../db/ports.ts'
import { hasEnded, LAST_EVENT_TYPES } from '../workflow/ended-streams.ts'

const StreamRow = z.object({ aggregate_type: z.string(), aggregate_id: z.string(), event_type: z.string() })

export type EndedStream = { readonly aggregateType: string; readonly aggregateId: string }

/**
 * The newest event of each stream that may have ended. The stream of the log's newest event is left for the next time:
 * that event stays in the table, and a stream is not torn apart.
 */
const NEWEST = `SELECT e.aggregate_type, e.aggregate_id, e.event_type FROM events e
  WHERE e.event_type IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR e.created_at < ?2)
    AND e.position < (SELECT max(position) FROM events)
    AND NOT EXISTS (SELECT 1 FROM events later WHERE later.aggregate_type = e.aggregate_type
                    AND later.aggregate_id = e.aggregate_id AND later.seq > e.seq)
  ORDER BY e.position`

/** Streams in the log's table that have ended, in the order in which they did. */
export const findEndedStreams = async (
  context: Pick<DbContext, 'projectionStore'>,
  endedBefore?: string | undefined
): Promise<EndedStream[]> => {
  const rows = await context.projectionStore.query({
    sql: NEWEST,
    params: [JSON.stringify(LAST_EVENT_TYPES), endedBefore ?? null]
  })
  return rows
    .map((row) => StreamRow.parse(row))
    .map((row) => ({
      aggregateType: row.aggregate_type,
      aggregateId: row.aggregate_id,
      eventType: row.event_type
    }))
    .filter(hasEnded)
}
