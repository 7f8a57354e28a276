import { describe, expect, it } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { SOURCES_SQL, toDataSource, USED_IN_SQL } from '../data/data-sources.ts'
import {
  ARTIFACTS_SQL,
  LINEAGE_SQL,
  LOGS_SQL,
  RUNS_SQL,
  STEPS_SQL,
  toLineageEdge,
  toRunArtifact,
  toRunFacts,
  toRunLog,
  toRunStep
} from './run-facts.ts'

const AT = '2026-11-24T12:00:00.000Z'
const LATER = '2026-11-24T12:00:03.500Z'

/** A database with one run of a workflow, as the projections leave it. */
const openRun = async (): Promise<DbContext> => {
  let ids = 0
  const context = await openDbContext({
    storage: 'memory',
    now: () => AT,
    newId: () => `id-${(ids += 1)}`
  })
  const put = (table: string, row: Record<string, unknown>) =>
    context.projectionStore.upsert({ table, rows: [row] })
  await put('workflows', { id: 'workflow:1', name: 'Orders', created_at: AT, updated_at: AT })
  await put('workflow_versions', {
    id: 'wfv:1',
    workflow_id: 'workflow:1',
    version: 3,
    status: 'draft',
    created_at: AT
  })
  await put('nodes', {
    id: 'wfv:1/orders',
    key: 'orders',
    workflow_version_id: 'wfv:1',
    kind: 'source',
    name: 'Orders',
    spec_json: { dataSource: 'orders.csv' },
    created_at: AT
  })
  await put('runs', {
    id: 'run:1',
    workflow_version_id: 'wfv:1',
    trigger: 'manual',
    status: 'failed',
    input_manifest_json: {
      workflowName: 'Orders, as it was called',
      version: 3,
      options: { rowIds: true }
    },
    started_at: AT,
    finished_at: LATER,
    created_at: AT,
    error_json: { message: 'Column "total" is gone.', nodeId: 'orders' }
  })
  await put('run_steps', {
    id: 'run:1/orders',
    run_id: 'run:1',
    node_id: 'wfv:1/orders',
    status: 'succeeded',
    stats_json: { name: 'Orders', kind: 'source', rowsIn: null, rowsOut: 20, bytes: null, ms: 3.5 },
    started_at: AT,
    finished_at: LATER
  })
  await put('run_logs', {
    id: 'log:1',
    run_id: 'run:1',
    run_step_id: 'run:1/orders',
    level: 'warn',
    message: 'Two rows are short.',
    ts: AT
  })
  const artifact = { run_id: 'run:1', kind: 'table', format: 'arrow', rows: 20, created_at: AT, sha256: 'ab' }
  await put('artifacts', {
    ...artifact,
    id: 'artifact:source',
    node_id: 'wfv:1/orders',
    stats_json: { role: 'source', bytes: 12, fileName: 'orders.csv', stepId: null }
  })
  await put('artifacts', {
    ...artifact,
    id: 'artifact:result',
    node_id: 'wfv:1/result',
    schema_json: { columns: [{ name: 'id', type: 'integer', engineType: 'BIGINT' }] },
    stats_json: { role: 'result', bytes: 99 }
  })
  await put('lineage', {
    id: 'lineage:1',
    run_id: 'run:1',
    from_artifact_id: 'artifact:source',
    to_artifact_id: 'artifact:result',
    created_at: AT
  })
  await put('data_sources', {
    id: 'datasource:1',
    name: 'orders.csv',
    kind: 'csv',
    config_json: { written: 'by a script' },
    created_at: AT
  })
  return context
}
const ask = async (context: DbContext, sql: string, ...params: unknown[]) =>
  (await context.projectionStore.read({ sql, params })).rows

describe('a run as the page reads it', () => {
  it('has its workflow, its version and why it failed', async () => {
    const context = await openRun()
    const rows = await ask(context, `${RUNS_SQL} WHERE r.id = ?`, 'run:1')
    expect(rows.map(toRunFacts)).toEqual([
      {
        id: 'run:1',
        status: 'failed',
        trigger: 'manual',
        createdAt: AT,
        startedAt: AT,
        finishedAt: LATER,
        error: { message: 'Column "total" is gone.', nodeId: 'orders' },
        workflowName: 'Orders',
        version: 3,
        workflowId: 'workflow:1',
        verifies: null,
        retryOf: null,
        memoryBudget: null,
        keepsRowIds: true
      }
    ])
  })

  it('outlives its workflow', async () => {
    const context = await openRun()
    for (const table of ['nodes', 'workflow_versions', 'workflows']) {
      await context.projectionStore.truncate({ table })
    }
    const [run] = (await ask(context, RUNS_SQL)).map(toRunFacts)
    expect(run).toMatchObject({ workflowName: 'Orders, as it was called', version: 3, workflowId: null })
  })

  it('has steps, logs, artifacts and lineage', async () => {
    const context = await openRun()
    expect((await ask(context, STEPS_SQL, 'run:1')).map(toRunStep)).toMatchObject([
      { nodeId: 'orders', name: 'Orders', kind: 'source', status: 'succeeded', rowsOut: 20, rowsIn: null }
    ])
    expect((await ask(context, LOGS_SQL, 'run:1')).map(toRunLog)).toMatchObject([
      { level: 'warn', message: 'Two rows are short.', step_name: 'Orders' }
    ])
    expect((await ask(context, ARTIFACTS_SQL, 'run:1')).map(toRunArtifact)).toMatchObject([
      { id: 'artifact:source', role: 'source', fileName: 'orders.csv', stepName: 'Orders', columns: [] },
      {
        id: 'artifact:result',
        role: 'result',
        stepName: 'result',
        columns: [{ name: 'id', type: 'integer' }]
      }
    ])
    expect((await ask(context, LINEAGE_SQL, 'run:1')).map(toLineageEdge)).toEqual([
      { from: 'artifact:source', to: 'artifact:result', columns: [], rows: [] }
    ])
  })
})

describe('a data source as the page reads it', () => {
  it('may have no file, and says where it is used', async () => {
    const context = await openRun()
    expect((await ask(context, SOURCES_SQL)).map(toDataSource)).toEqual([
      { id: 'datasource:1', name: 'orders.csv', kind: 'csv', createdAt: AT, file: null }
    ])
    expect(await ask(context, USED_IN_SQL, 'orders.csv')).toEqual([{ id: 'workflow:1', name: 'Orders' }])
    expect(await ask(context, USED_IN_SQL, 'other.csv')).toEqual([])
  })
})
