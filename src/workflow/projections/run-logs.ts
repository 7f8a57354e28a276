import type { Projection } from '../aggregate.ts'
import { readRunEvents } from './narrow.ts'

/** What runs and their steps said. */
export const runLogsProjection: Projection = {
  name: 'run-logs',
  version: 1,
  mode: 'inline',
  tables: ['run_logs'],
  hears: ['RunLogged'],
  project: readRunEvents((event) => {
    if (event.type !== 'RunLogged') return []
    const { logId, stepId = null, level, message, meta } = event.payload
    const row = {
      id: logId,
      run_id: event.aggregateId,
      run_step_id: stepId,
      level,
      message,
      meta_json: meta === undefined ? null : JSON.stringify(meta),
      ts: event.createdAt
    }
    return [{ op: 'upsert', table: 'run_logs', rows: [row] }]
  })
}
