import sqlite3InitModule, { type BindingSpec, type Database } from '@sqlite.org/sqlite-wasm'
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Aggregate, DomainEvent, RowChange } from '../aggregate.ts'
import { dataSourceAggregate, type DataSourceCommand } from '../data-source/data-source.ts'
import type { Graph } from '../graph.ts'
import { runAggregate, type RunCommand } from '../run/run.ts'
import { workflowAggregate, type WorkflowCommand } from '../workflow/workflow.ts'
import { ALL_PROJECTIONS } from './all.ts'

const schema = ['../../../schema.sql', '../../db/migrations/0002-projections.sql']
  .map((path) => readFileSync(new URL(path, import.meta.url), 'utf8'))
  .join('\n')
let database: Database
let position = 0

type Cell = string | number | null
const bind = (values: readonly unknown[]): BindingSpec =>
  values.map((value): Cell => {
    if (value === null || typeof value === 'string' || typeof value === 'number') return value
    throw new Error(`A row holds ${typeof value}.`)
  })

const apply = (change: RowChange): void => {
  if (change.op === 'upsert') {
    for (const row of change.rows) {
      const columns = Object.keys(row)
      const sets = columns.map((column) => `"${column}" = excluded."${column}"`).join(', ')
      const sql = `INSERT INTO ${change.table} (${columns.map((c) => `"${c}"`).join(', ')})
        VALUES (${columns.map(() => '?').join(', ')}) ON CONFLICT (id) DO UPDATE SET ${sets}`
      database.exec({ sql, bind: bind(Object.values(row)) })
    }
    return
  }
  const where = Object.keys(change.where)
    .map((column) => `"${column}" = ?`)
    .join(' AND ')
  const sets = change.op === 'update' ? change.set : {}
  const sql =
    change.op === 'update'
      ? `UPDATE ${change.table} SET ${Object.keys(sets)
          .map((c) => `"${c}" = ?`)
          .join(', ')} WHERE ${where}`
      : `DELETE FROM ${change.table} WHERE ${where}`
  database.exec({ sql, bind: bind([...Object.values(sets), ...Object.values(change.where)]) })
}

/** Decides the commands one after the other and projects what they gave. */
const run = <State, Command, E extends DomainEvent>(
  aggregate: Aggregate<State, Command, E>,
  aggregateId: string,
  commands: readonly Command[]
): void => {
  let state = aggregate.initial
  let seq = 0
  for (const command of commands) {
    const decision = aggregate.decide(state, command)
    if (!decision.ok) throw new Error(decision.reason)
    for (const event of decision.events) {
      state = aggregate.evolve(state, event)
      position += 1
      seq += 1
      const createdAt = `2026-01-01T00:00:${String(position).padStart(2, '0')}.000Z`
      for (const projection of ALL_PROJECTIONS) {
        if (!projection.hears.includes(event.type)) continue
        const changes = projection.project({ ...event, aggregateId, position, seq, createdAt })
        expect(changes.every(({ table }) => projection.tables.includes(table))).toBe(true)
        changes.forEach(apply)
      }
    }
  }
}
const rows = (sql: string): unknown[] => database.exec({ sql, rowMode: 'object', returnValue: 'resultRows' })

beforeEach(async () => {
  const sqlite = await sqlite3InitModule()
  database = new sqlite.oo1.DB(':memory:')
  database.exec(schema)
  database.exec('PRAGMA foreign_keys = ON')
  position = 0
})

const graph: Graph = {
  parameters: {},
  nodes: [
    { id: 'a', kind: 'source', name: 'A', spec: { dataSource: 'a.csv' }, x: 1, y: 2 },
    { id: 'b', kind: 'sink', name: 'B', spec: {} }
  ],
  edges: [{ from: 'a', fromPort: 'out', to: 'b', toPort: 'in', condition: 'x > 1' }]
}
const create: WorkflowCommand = { type: 'CreateWorkflow', name: 'W', graph }
const edge = { from: 'a', fromPort: 'out', to: 'b', toPort: 'in' }

describe('the rows of a workflow', () => {
  it('are those of an imported graph', () => {
    run(workflowAggregate, 'workflow:w', [create])
    expect(rows('SELECT id, name, created_at = updated_at AS same FROM workflows')).toEqual([
      { id: 'workflow:w', name: 'W', same: 1 }
    ])
    expect(rows('SELECT id, version, status FROM workflow_versions')).toEqual([
      { id: 'workflow:w@1', version: 1, status: 'draft' }
    ])
    expect(rows('SELECT id, "key", spec_json, x, y FROM nodes ORDER BY id')).toEqual([
      { id: 'workflow:w@1/a', key: 'a', spec_json: '{"dataSource":"a.csv"}', x: 1, y: 2 },
      { id: 'workflow:w@1/b', key: 'b', spec_json: '{}', x: null, y: null }
    ])
    expect(rows('SELECT from_node_id, to_port, condition_json FROM edges')).toEqual([
      { from_node_id: 'workflow:w@1/a', to_port: 'in', condition_json: '"x > 1"' }
    ])
  })

  it('follow edits, and go back with undo', () => {
    const changes = [
      { type: 'remove-edge', edge },
      { type: 'remove-node', nodeId: 'b' },
      { type: 'rename-node', nodeId: 'a', name: 'Z' },
      { type: 'set-spec', nodeId: 'a', spec: { dataSource: 'z' } },
      { type: 'move-node', nodeId: 'a' }
    ] as const
    run(workflowAggregate, 'workflow:w', [create, { type: 'EditDraft', changes }])
    expect(rows('SELECT "key", name, spec_json, x FROM nodes')).toEqual([
      { key: 'a', name: 'Z', spec_json: '{"dataSource":"z"}', x: null }
    ])
    expect(rows('SELECT updated_at FROM workflows')).toEqual([{ updated_at: '2026-01-01T00:00:02.000Z' }])
    run(workflowAggregate, 'workflow:v', [
      { ...create, name: 'V' },
      { type: 'EditDraft', changes },
      { type: 'UndoEdit' }
    ])
    const sql = (id: string) =>
      `SELECT "key", name, spec_json, x, condition_json FROM nodes LEFT JOIN edges ON to_node_id = nodes.id
       WHERE nodes.workflow_version_id = '${id}@1' ORDER BY "key"`
    run(workflowAggregate, 'workflow:u', [{ ...create, name: 'U' }])
    expect(rows(sql('workflow:v'))).toEqual(rows(sql('workflow:u')))
  })

  it('hold each version, one active', () => {
    run(workflowAggregate, 'workflow:w', [
      create,
      { type: 'PublishDraft' },
      { type: 'EditDraft', changes: [{ type: 'rename-node', nodeId: 'a', name: 'Z' }] },
      { type: 'PublishDraft' },
      { type: 'StartDraft' }
    ])
    expect(rows('SELECT version, status, activated_at IS NULL AS never FROM workflow_versions')).toEqual([
      { version: 1, status: 'archived', never: 0 },
      { version: 2, status: 'active', never: 0 },
      { version: 3, status: 'draft', never: 1 }
    ])
    expect(rows(`SELECT name FROM nodes WHERE "key" = 'a' ORDER BY id`)).toEqual([
      { name: 'A' },
      { name: 'Z' },
      { name: 'Z' }
    ])
  })

  it('go with it, those of its runs stay', () => {
    run(runAggregate, 'run:r', [queue])
    run(workflowAggregate, 'workflow:w', [create, { type: 'PublishDraft' }, { type: 'RemoveWorkflow' }])
    for (const table of ['workflows', 'workflow_versions', 'nodes', 'edges']) {
      expect(rows(`SELECT * FROM ${table}`), table).toEqual([])
    }
    expect(rows('SELECT id FROM runs')).toEqual([{ id: 'run:r' }])
  })
})

const queue: RunCommand = {
  type: 'QueueRun',
  workflowId: 'workflow:w',
  workflowVersionId: 'workflow:w@1',
  version: 1,
  workflowName: 'W',
  trigger: 'manual',
  parameters: { min: 1 }
}
const artifact = (artifactId: string, nodeId: string, role: 'source' | 'result'): RunCommand => ({
  type: 'WriteArtifact',
  artifactId,
  stepId: null,
  nodeId,
  role,
  kind: 'file',
  uri: 'blob',
  format: 'csv',
  columns: [{ name: 'x', type: 'integer', engineType: 'BIGINT' }],
  rows: 3,
  sha256: 'abc',
  bytes: 12
})

describe('the rows of a run', () => {
  it('tell of its steps, logs, artifacts, lineage and end', () => {
    run(runAggregate, 'run:r', [
      queue,
      { type: 'StartRun', manifest: { engine: 'x' } },
      { type: 'StartStep', stepId: 's1', nodeId: 'a', name: 'A', kind: 'source' },
      { type: 'Log', logId: 'g', stepId: 's1', level: 'info', message: 'm', meta: { n: 1 } },
      artifact('f1', 'a', 'source'),
      artifact('f2', 'b', 'result'),
      {
        type: 'RecordLineage',
        lineageId: 'l',
        fromArtifactId: 'f1',
        toArtifactId: 'f2',
        edge: { via: ['a'] }
      },
      { type: 'FinishStep', stepId: 's1', stats: { rowsIn: null, rowsOut: 3, bytes: null, ms: 4 } },
      { type: 'SkipStep', stepId: 's2', nodeId: 'c', name: 'C', kind: 'http' },
      { type: 'StartStep', stepId: 's3', nodeId: 'b', name: 'B', kind: 'sink' },
      { type: 'FailRun', error: { message: 'broken', nodeId: 'b' } }
    ])
    expect(
      rows(`SELECT status, input_manifest_json ->> '$.workflowName' AS w, input_manifest_json ->> '$.engine' AS e,
        error_json ->> '$.message' AS m, started_at < finished_at AS timed FROM runs`)
    ).toEqual([{ status: 'failed', w: 'W', e: 'x', m: 'broken', timed: 1 }])
    expect(
      rows(
        `SELECT id, node_id, status, stats_json ->> '$.name' AS name, stats_json ->> '$.rowsOut' AS n FROM run_steps`
      )
    ).toEqual([
      { id: 's1', node_id: 'workflow:w@1/a', status: 'succeeded', name: 'A', n: 3 },
      { id: 's2', node_id: 'workflow:w@1/c', status: 'skipped', name: 'C', n: null },
      { id: 's3', node_id: 'workflow:w@1/b', status: 'failed', name: 'B', n: null }
    ])
    expect(rows('SELECT run_step_id, level, message, meta_json FROM run_logs')).toEqual([
      { run_step_id: 's1', level: 'info', message: 'm', meta_json: '{"n":1}' }
    ])
    expect(rows(`SELECT id, rows, stats_json ->> '$.role' AS role FROM artifacts`)).toEqual([
      { id: 'f1', rows: 3, role: 'source' },
      { id: 'f2', rows: 3, role: 'result' }
    ])
    expect(rows('SELECT from_artifact_id, to_artifact_id FROM lineage')).toEqual([
      { from_artifact_id: 'f1', to_artifact_id: 'f2' }
    ])
  })
})

describe('the rows of data sources', () => {
  it('are there from import to removal', () => {
    const imported = {
      type: 'ImportDataSource',
      name: 'a.csv',
      kind: 'csv',
      fileName: 'a.csv',
      mediaType: 'text/csv',
      size: 3,
      sha256: 'abc',
      blobKey: 'k',
      prepared: { reader: { type: 'arrow' }, blobKey: 'k2', columns: [], rows: 0, notes: [] }
    } satisfies DataSourceCommand
    run(dataSourceAggregate, 'datasource:d', [imported, { type: 'RenameDataSource', name: 'b.csv' }])
    expect(
      rows(
        `SELECT id, name, kind, config_json ->> '$.fileName' AS f, config_json ->> '$.prepared.blobKey' AS k FROM data_sources`
      )
    ).toEqual([{ id: 'datasource:d', name: 'b.csv', kind: 'csv', f: 'a.csv', k: 'k2' }])
    const { type: _, kind: _kind, name: _name, ...file } = imported
    const content = { ...file, sha256: 'm1' }
    run(dataSourceAggregate, 'datasource:m', [
      { type: 'CreateManualSource', name: 'Rates', content },
      { type: 'EditManualSource', content: { ...content, sha256: 'm2' }, expectedSha256: 'm1' }
    ])
    expect(
      rows(`SELECT name, kind, config_json ->> '$.sha256' AS h FROM data_sources WHERE kind = 'manual'`)
    ).toEqual([{ name: 'Rates', kind: 'manual', h: 'm2' }])
    run(dataSourceAggregate, 'datasource:e', [imported, { type: 'RemoveDataSource' }])
    expect(rows('SELECT id FROM data_sources ORDER BY id')).toEqual([
      { id: 'datasource:d' },
      { id: 'datasource:m' }
    ])
  })
})
