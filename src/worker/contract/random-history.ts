import fc from 'fast-check'
import type { DbContext, Row } from '../../db/ports.ts'
import { catalogAggregate, type CatalogCommand } from '../../workflow/catalog/catalog-item.ts'
import type { CatalogContent } from '../../workflow/catalog/content.ts'
import type { GraphChange } from '../../workflow/change.ts'
import { dataSourceAggregate, type DataSourceCommand } from '../../workflow/data-source/data-source.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { runAggregate, type RunCommand } from '../../workflow/run/run.ts'
import { workflowAggregate, type WorkflowCommand } from '../../workflow/workflow/workflow.ts'
import type { AggregateStore } from '../aggregate-store.ts'
import type { DirectWrites } from '../projections/direct-writes.ts'

/** One thing that happens: a command on an aggregate, or rows that a caller writes without an event. */
export type Happening =
  | { readonly what: 'workflow'; readonly id: string; readonly command: WorkflowCommand }
  | { readonly what: 'run'; readonly id: string; readonly command: RunCommand }
  | { readonly what: 'data-source'; readonly id: string; readonly command: DataSourceCommand }
  | { readonly what: 'catalog'; readonly id: string; readonly command: CatalogCommand }
  | { readonly what: 'upsert'; readonly table: string; readonly row: Row }
  | { readonly what: 'truncate'; readonly table: string }
  /** The test looks: async projections have caught up. */
  | { readonly what: 'look' }

const nodeId = fc.constantFrom('a', 'b', 'c', 'd')
const edge = fc.record({
  from: nodeId,
  fromPort: fc.constant('out'),
  to: nodeId,
  toPort: fc.constantFrom('in', 'left')
})
const change: fc.Arbitrary<GraphChange> = fc.oneof(
  nodeId.map((id): GraphChange => ({
    type: 'add-node',
    node: { id, kind: 'transform', name: id, spec: { steps: [] } }
  })),
  nodeId.map((id): GraphChange => ({ type: 'remove-node', nodeId: id })),
  fc.record({
    type: fc.constant('rename-node' as const),
    nodeId,
    name: fc.string({ maxLength: 5, unit: 'binary' })
  }),
  fc.record({
    type: fc.constant('move-node' as const),
    nodeId,
    x: fc.double({ noNaN: true }),
    y: fc.integer()
  }),
  edge.map((each): GraphChange => ({ type: 'add-edge', edge: each })),
  edge.map((each): GraphChange => ({ type: 'remove-edge', edge: each }))
)
const workflowId = fc.constantFrom('workflow:v', 'workflow:w')
const workflowCommand: fc.Arbitrary<WorkflowCommand> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .array(change, { minLength: 1, maxLength: 3 })
      .map((changes): WorkflowCommand => ({ type: 'EditDraft', changes }))
  },
  ...(
    [
      { type: 'UndoEdit' },
      { type: 'RedoEdit' },
      { type: 'PublishDraft' },
      { type: 'StartDraft' },
      { type: 'RemoveWorkflow' },
      { type: 'DescribeWorkflow', description: 'said' }
    ] as const
  ).map((command) => ({ weight: 1, arbitrary: fc.constant<WorkflowCommand>(command) }))
)

const runId = fc.constantFrom('run:p', 'run:q')
const queue: RunCommand = {
  type: 'QueueRun',
  workflowId: 'workflow:w',
  workflowVersionId: 'workflow:w@1',
  version: 1,
  workflowName: 'W',
  trigger: 'manual',
  parameters: {}
}
const step = { stepId: 's', nodeId: 'a', name: 'A', kind: 'source' } as const
const runCommand: fc.Arbitrary<RunCommand> = fc.oneof(
  fc.constantFrom<RunCommand>(
    queue,
    queue,
    { type: 'StartRun', manifest: { engine: 'x' } },
    { type: 'StartRun', manifest: {} },
    { type: 'FinishStep', stepId: 's', stats: { rowsIn: null, rowsOut: 1, bytes: null, ms: 1 } },
    { type: 'RequestCancel' },
    { type: 'SucceedRun' },
    { type: 'ResumeRun' },
    { type: 'FailRun', error: { message: 'broken' } }
  ),
  runId.map((id): RunCommand => ({ type: 'StartStep', ...step, stepId: `${id}/s` })),
  fc
    .nat(5)
    .map((n): RunCommand => ({ type: 'Log', logId: `log:${n}`, level: 'info', message: `\u0000${n}` })),
  fc.nat(3).map((n): RunCommand => ({
    type: 'WriteArtifact',
    artifactId: `artifact:${n}`,
    stepId: null,
    nodeId: 'a',
    role: 'result',
    kind: 'file',
    uri: 'blob',
    format: 'csv',
    columns: null,
    rows: n,
    sha256: 'abc',
    bytes: 1
  }))
)

const sourceCommand: fc.Arbitrary<DataSourceCommand> = fc.constantFrom<DataSourceCommand>(
  {
    type: 'ImportDataSource',
    name: 'a.csv',
    kind: 'csv',
    fileName: 'a.csv',
    mediaType: 'text/csv',
    size: 3,
    sha256: 'abc',
    blobKey: 'k',
    prepared: { reader: { type: 'arrow' }, blobKey: 'k2', columns: [], rows: 0, notes: [] }
  },
  { type: 'RenameDataSource', name: 'b.csv' },
  { type: 'RemoveDataSource' }
)

const datasetId = fc.constantFrom('catalog:d', 'catalog:e')
const content: fc.Arbitrary<CatalogContent> = fc.oneof(
  fc.nat(3).map((n): CatalogContent => ({
    kind: 'rule-set',
    spec: { rules: [{ name: `r${n}`, when: `a > ${n}`, reject: 'no' }] }
  })),
  fc.nat(3).map((n): CatalogContent => ({ kind: 'schema', spec: { jsonSchema: { maxProperties: n } } })),
  fc.nat(3).map((n): CatalogContent => ({
    kind: 'endpoint',
    spec: { baseUrl: `https://example.com/${n}`, headers: { Accept: 'text/csv' } }
  })),
  fc.constant<CatalogContent>({
    kind: 'request-template',
    spec: { endpoint: 'E', method: 'POST', path: '/{{a}}', body: '\u0000' }
  }),
  fc.nat(3).map((n): CatalogContent => ({ kind: 'dataset', spec: { format: `f${n}` } })),
  fc.constant<CatalogContent>({ kind: 'dataset', spec: { schema: { name: 'S' } } }),
  fc.constant<CatalogContent>({
    kind: 'join',
    spec: { left: 'L', right: 'R', type: 'inner', on: [{ left: 'a', right: 'b' }] }
  }),
  fc.constant<CatalogContent>({ kind: 'auth-profile', spec: { kind: 'none' } })
)
const itemName = fc.constantFrom('one', 'two')
const references = fc.record({
  endpoint: fc.constantFrom('catalog:c', 'catalog:d'),
  left: datasetId,
  right: datasetId,
  schema: fc.constantFrom('catalog:c@1', 'catalog:d@1')
})
const catalogCommand: fc.Arbitrary<CatalogCommand> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({ name: itemName, content, references })
      .map((item): CatalogCommand => ({ type: 'CreateItem', ...item }))
  },
  {
    weight: 3,
    arbitrary: content.map((edited): CatalogCommand => ({ type: 'EditItemDraft', content: edited }))
  },
  {
    weight: 3,
    arbitrary: references.map((ids): CatalogCommand => ({ type: 'PublishItemDraft', references: ids }))
  },
  { weight: 1, arbitrary: itemName.map((name): CatalogCommand => ({ type: 'RenameItem', name })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<CatalogCommand>(
      { type: 'UndoItemEdit' },
      { type: 'DescribeItem', description: 'said' },
      { type: 'RemoveItem' }
    )
  }
)

const status = fc.constantFrom('queued', 'running', 'failed')
const directRow: fc.Arbitrary<Happening> = fc.oneof(
  fc
    .record({
      id: fc.constantFrom('direct', 'workflow:v'),
      name: fc.string({ maxLength: 2 }),
      created_at: fc.constant('now')
    })
    .map((row): Happening => ({ what: 'upsert', table: 'workflows', row })),
  fc
    .record({ id: workflowId, description: fc.string({ unit: 'binary', maxLength: 3 }) })
    .map((row): Happening => ({ what: 'upsert', table: 'workflows', row })),
  fc.record({ id: runId, status }).map((row): Happening => ({ what: 'upsert', table: 'runs', row })),
  fc.record({ id: runId, status }).map((row): Happening => ({ what: 'upsert', table: 'workflow_runs', row })),
  fc
    .record({
      id: fc.constantFrom('run:p', 'direct'),
      status,
      input_manifest_json: fc.object({ maxDepth: 1 })
    })
    .map((row): Happening => ({
      what: 'upsert',
      table: 'runs',
      row: { ...row, workflow_version_id: 'x', trigger: 'api', created_at: new Date(0) }
    })),
  fc
    .record({ id: fc.constant('workflow:w@1/a'), x: fc.double({ noNaN: true }) })
    .map((row): Happening => ({ what: 'upsert', table: 'nodes', row })),
  fc.bigInt({ min: 0n, max: 2n ** 62n }).map((rows): Happening => ({
    what: 'upsert',
    table: 'artifacts',
    row: { id: 'artifact:1', rows }
  })),
  fc
    .constantFrom('workflow_runs', 'run_logs', 'runs', 'edges', 'workflows', 'rule_sets', 'endpoints')
    .map((table): Happening => ({ what: 'truncate', table }))
)

/** Anything that can happen to what FlowForge keeps, much of it refused. */
export const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constant('workflow' as const),
        id: workflowId,
        command: workflowCommand
      })
    },
    {
      weight: 8,
      arbitrary: fc.record({ what: fc.constant('run' as const), id: runId, command: runCommand })
    },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant('data-source' as const),
        id: fc.constantFrom('datasource:d', 'datasource:e'),
        command: sourceCommand
      })
    },
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constant('catalog' as const),
        id: fc.constantFrom('catalog:c', 'catalog:d', 'catalog:e'),
        command: catalogCommand
      })
    },
    { weight: 3, arbitrary: directRow },
    { weight: 2, arbitrary: fc.constant({ what: 'look' as const }) }
  ),
  { maxLength: 40 }
)

/** Lets one thing happen. @throws FlowForgeError where it is refused: nothing has changed then */
export const happen = async (
  parts: { context: DbContext; store: AggregateStore; directWrites: DirectWrites },
  happening: Happening
): Promise<void> => {
  const { context, store, directWrites } = parts
  switch (happening.what) {
    case 'workflow':
      await store.execute(workflowAggregate, happening.id, happening.command)
      return
    case 'run':
      await store.execute(runAggregate, happening.id, happening.command)
      return
    case 'data-source':
      await store.execute(dataSourceAggregate, happening.id, happening.command)
      return
    case 'catalog':
      await store.execute(catalogAggregate, happening.id, happening.command)
      return
    case 'upsert':
      return directWrites.upsert(context, { table: happening.table, rows: [happening.row] })
    case 'truncate':
      return directWrites.truncate(context, { table: happening.table })
    case 'look':
      return
  }
}

const TABLES = ALL_PROJECTIONS.flatMap(({ tables }) => tables)
export type Dump = Record<string, Row[]>

/** All rows of all projections, by table; `ask` answers a query. */
export const dumpRows = async (ask: (sql: string) => Promise<Row[]>): Promise<Dump> =>
  Object.fromEntries(
    await Promise.all(
      TABLES.map(async (table): Promise<[string, Row[]]> => [
        table,
        await ask(`SELECT * FROM ${table} ORDER BY id`)
      ])
    )
  )
