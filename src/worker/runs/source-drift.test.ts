import { expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { ValueType } from '../../workflow/value-type.ts'
import { sourceDrift } from './source-drift.ts'
import type { CatalogSource } from '../catalog.ts'

const columnsOf = (columns: Record<string, ValueType>) =>
  Object.entries(columns).map(([name, type]) => ({ name, type, engineType: '' }))

const reading = (columns: Record<string, ValueType>): ReadonlyMap<string, CatalogSource> => {
  const prepared = {
    reader: { type: 'arrow' },
    blobKey: 'k',
    columns: columnsOf(columns),
    rows: 1,
    notes: []
  } as const
  const config = {
    fileName: 'orders.csv',
    mediaType: 'text/csv',
    size: 1,
    sha256: 's',
    blobKey: 'k',
    prepared: { ...prepared, columns: [...prepared.columns], notes: [] }
  }
  return new Map([['orders', { id: 'd', name: 'orders.csv', kind: 'csv', config }]])
}

test('a run is told how its source differs from what the last one that succeeded read', async () => {
  let ids = 0
  const now = () => '2026-01-01T00:00:00.000Z'
  const context = await openDbContext({ storage: 'memory', now, newId: () => `id-${(ids += 1)}` })
  const { projectionStore } = context
  const created_at = now()
  await projectionStore.upsert({ table: 'workflows', rows: [{ id: 'workflow:w', name: 'w', created_at }] })
  // The node keeps its key across versions.
  await projectionStore.upsert({
    table: 'workflow_versions',
    rows: ['v1', 'v2'].map((id, at) => ({
      id,
      workflow_id: 'workflow:w',
      version: at + 1,
      status: 'archived',
      created_at
    }))
  })
  const ran = async (
    id: string,
    version: string,
    status: string,
    columns: Record<string, ValueType>,
    { manifest = {}, fileName = 'orders.csv' } = {}
  ) => {
    const input_manifest_json = JSON.stringify(manifest)
    const row = {
      id,
      workflow_version_id: version,
      trigger: 'manual',
      status,
      created_at,
      input_manifest_json
    }
    await projectionStore.upsert({ table: 'runs', rows: [row] })
    const artifact = {
      id: `artifact:${id}`,
      run_id: id,
      node_id: `${version}/orders`,
      kind: 'file',
      schema_json: JSON.stringify({ columns: columnsOf(columns) }),
      stats_json: JSON.stringify({ role: 'source', fileName }),
      created_at
    }
    await projectionStore.upsert({ table: 'artifacts', rows: [artifact] })
  }
  await ran('run:1', 'v1', 'succeeded', { origin: 'text', old: 'date' })
  await ran('run:2', 'v2', 'failed', { other: 'text' })
  await ran('run:3', 'v2', 'running', { origin: 'integer', x: 'text' })
  expect(await sourceDrift(context, 'run:3', reading({ origin: 'integer', x: 'text' }))).toMatchObject([
    {
      nodeId: 'orders',
      message:
        'orders.csv is not as the last run read it: "origin": text → integer; new column "x" (text); column "old" is gone.',
      meta: { lastRunId: 'run:1' }
    }
  ])
  expect(await sourceDrift(context, 'run:3', reading({ origin: 'text', old: 'date' }))).toEqual([])
  expect(await sourceDrift(context, 'run:1', reading({ origin: 'text' }))).toEqual([])
  // Runs that repeat an older one read what was there then.
  await ran('run:4', 'v2', 'succeeded', { long: 'text' }, { manifest: { verifies: 'run:0' } })
  await ran('run:5', 'v2', 'succeeded', { ago: 'text' }, { manifest: { replayOf: 'run:0' } })
  expect(await sourceDrift(context, 'run:3', reading({ origin: 'text', old: 'date' }))).toEqual([])
  await ran('run:6', 'v2', 'succeeded', { origin: 'text' }, { fileName: 'others.csv' })
  expect(await sourceDrift(context, 'run:3', reading({ origin: 'date' }))).toMatchObject([
    { message: 'orders.csv is not as others.csv, which the last run read here: "origin": text → date.' }
  ])
  await context.close()
})
