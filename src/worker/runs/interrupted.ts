import { isFlowForgeError, type DbContext } from '../../db/ports.ts'
import { runAggregate } from '../../workflow/run/run.ts'
import { causeOf, type AggregateStore } from '../aggregate-store.ts'

export const INTERRUPTED =
  'FlowForge was closed while this run was going on. Resume it: it goes on from its last finished step.'

/** A run that was resumed may begin in an archive segment that cannot be read: that must not keep FlowForge from starting. */
const isUnreadable = (thrown: unknown): boolean =>
  isFlowForgeError(thrown) && (thrown.code === 'CORRUPT' || thrown.code === 'NOT_ALLOWED')

/**
 * Ends, at the start, the runs that the browser's end cut off, as failed with that reason: every run ends. Rows that
 * somebody wrote into `runs` without an event are not runs of ours and are left alone.
 */
export const endInterruptedRuns = async (context: DbContext, aggregates: AggregateStore): Promise<number> => {
  const rows = await context.projectionStore.query({
    sql: `SELECT r.id FROM runs r WHERE r.status IN ('queued', 'running')
          AND EXISTS (SELECT 1 FROM events e WHERE e.aggregate_type = 'run' AND e.aggregate_id = r.id)`
  })
  let ended = 0
  for (const row of rows) {
    const aggregateId = String(row['id'])
    try {
      const [queued] = await context.eventStore.load({ aggregateId, limit: 1 })
      const acting = aggregates.causedBy(queued === undefined ? undefined : causeOf(queued))
      await acting.execute(runAggregate, aggregateId, {
        type: 'FailRun',
        error: { message: INTERRUPTED, code: 'interrupted' }
      })
      ended += 1
    } catch (thrown) {
      if (!isUnreadable(thrown)) throw thrown
      console.error(`The run ${aggregateId} was cut off, and cannot be ended now`, thrown)
    }
  }
  return ended
}
