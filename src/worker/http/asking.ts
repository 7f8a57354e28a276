import type { DbContext } from '../../db/ports.ts'
import type { AskService } from '../engine/ask-service.ts'
import type { World } from '../world.ts'
import { createAskService, type AskingRun } from './ask.ts'
import { createClient } from './client.ts'
import { createLedger } from './ledger.ts'
import { systemNet, type Net } from './net.ts'
import { createRequestRecord, probing } from './request-record.ts'

/** Gives each run somebody who sends its requests and keeps the record. */
export const createAsking = (parts: {
  context: DbContext
  world: World
  net?: Net
}): ((run: AskingRun) => AskService) => {
  const { context, world, net = systemNet } = parts
  const ledger = createLedger(context, world)
  const record = createRequestRecord(context, world)
  return (run) => {
    const client = createClient(net, probing(record, { purpose: 'probe', runId: run.runId }))
    return createAskService({ context, ledger, client, net, world }, run)
  }
}

/** The last run of a workflow that asked a service. */
const LAST_RUN = `SELECT r.id FROM runs r JOIN run_steps s ON s.run_id = r.id
  WHERE r.input_manifest_json ->> '$.workflowId' = ? AND s.stats_json ->> '$.kind' = 'http'
  ORDER BY r.created_at DESC, r.rowid DESC LIMIT 1`

/** A preview sends nothing by itself: it shows the answers of the workflow's last run, where they are still what would be asked. */
export const createPreviewAsk =
  (context: DbContext, askFor: (run: AskingRun) => AskService) =>
  async (workflowId: string): Promise<AskService> => {
    const [row] = await context.projectionStore.query({ sql: LAST_RUN, params: [workflowId] })
    const runId = typeof row?.['id'] === 'string' ? row['id'] : 'none'
    return askFor({ runId, workflowId, recordedIn: runId, isPreview: true, log: async () => undefined })
  }
