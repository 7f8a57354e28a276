import { beforeAll, describe, expect, it } from 'vitest'
import { applyChanges, invertChanges } from './apply-changes.ts'
import { startEngine, type Engine } from './contract/duckdb.ts'
import { toDocument } from './document.ts'
import { GraphEdge, type Graph, type GraphNode, type NodeKind } from './graph.ts'
import { Pin } from './pin.ts'
import { nodesNeeded, pinnedNodes, withoutPins } from './pinning.ts'
import { planGraph } from './plan.ts'
import { relationKeys } from './step-key.ts'
import { evolveWorkflow } from './workflow/evolve-workflow.ts'
import { NO_WORKFLOW } from './workflow/workflow-state.ts'

let engine: Engine

beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const portOf = (hash: string, column = 'x') => ({
  artifactId: 'artifact:1',
  blobKey: 'blob:1',
  sha256: hash.repeat(64),
  bytes: 96,
  rows: 2,
  layout: { pieces: [{ offset: 0, bytes: 96, rows: 2 }] },
  columns: [{ name: column, type: 'integer' as const, engineType: 'INTEGER' }]
})
const pinOf = (hash = 'a', column = 'x'): Pin =>
  Pin.parse({ runId: 'run:1', ports: { out: portOf(hash, column) } })

const node = (id: string, kind: NodeKind, spec: Record<string, unknown>, pin?: Pin): GraphNode => ({
  id,
  kind,
  name: id,
  spec,
  ...(pin === undefined ? {} : { pin })
})
const edge = (from: string, to: string, rest: Partial<GraphEdge> = {}) =>
  GraphEdge.parse({ from, to, ...rest })
const derive = (name: string, expression: string) => ({
  steps: [{ op: 'derive', columns: { [name]: expression } }]
})

/** A source feeds `a`, which may be pinned; `a` feeds `b`, and `b` a sink. */
const graphOf = (pin?: Pin, rest: readonly GraphEdge[] = []): Graph => ({
  parameters: {},
  nodes: [
    node('s', 'source', { dataSource: 'numbers' }),
    node('a', 'transform', derive('y', 'x + 1'), pin),
    node('b', 'transform', derive('z', 'x * 2')),
    node('end', 'sink', { format: 'csv', fileName: 'end.csv' })
  ],
  edges: [edge('s', 'a'), edge('a', 'b'), edge('b', 'end'), ...rest]
})

const catalog = {
  find: async () => ({
    dataSourceId: 'datasource:numbers',
    name: 'numbers',
    columns: portOf('a').columns,
    rows: null
  })
}
const planOf = (graph: Graph, usesPins: boolean, until?: string) =>
  planGraph({ graph, parameters: {}, catalog, binder: engine.binder, usesPins, until })

describe('a pin', () => {
  it('is set, replaced and taken away, and each can be undone', () => {
    for (const [before, pin] of [
      [undefined, pinOf()],
      [pinOf(), pinOf('b')],
      [pinOf(), undefined]
    ] as const) {
      const graph = graphOf(before)
      const changes = [{ type: 'set-pin' as const, nodeId: 'a', ...(pin === undefined ? {} : { pin }) }]
      const inverted = invertChanges(graph, changes)
      if (!inverted.ok) throw new Error(inverted.message)
      expect(inverted.graph).toEqual(graphOf(pin))
      expect(applyChanges(inverted.graph, inverted.changes)).toEqual({ ok: true, graph })
    }
  })

  it('goes with its node and comes back with it', () => {
    const graph = { ...graphOf(pinOf()), edges: [] }
    const removed = invertChanges(graph, [{ type: 'remove-node', nodeId: 'a' }])
    if (!removed.ok) throw new Error(removed.message)
    expect(applyChanges(removed.graph, removed.changes)).toEqual({ ok: true, graph })
  })

  it('is refused for a sink', () => {
    const refused = applyChanges(graphOf(), [{ type: 'set-pin', nodeId: 'end', pin: pinOf() }])
    expect(refused).toMatchObject({ ok: false, reason: 'sink-pinned' })
  })

  it('is in no document and in no published version', () => {
    const pinned = graphOf(pinOf())
    expect(pinnedNodes(pinned)).toEqual(['a'])
    expect(toDocument(pinned, 'W')).toEqual(toDocument(graphOf(), 'W'))
    expect(withoutPins(pinned)).toEqual(graphOf())
    const drafted = evolveWorkflow(NO_WORKFLOW, {
      type: 'WorkflowCreated',
      payload: { name: 'W', graph: pinned }
    })
    expect(drafted.versions[1]?.graph).toEqual(pinned)
    const published = evolveWorkflow(drafted, {
      type: 'WorkflowPublished',
      payload: { version: 1, archived: null }
    })
    expect(published.versions[1]).toEqual({ version: 1, status: 'active', graph: graphOf() })
  })
})

describe('a plan with pins', () => {
  it('takes the pinned rows and leaves out what feeds them alone', async () => {
    const { plan, problems } = await planOf(graphOf(pinOf()), true)
    expect(problems).toEqual([])
    expect(plan?.steps.map(({ nodeId }) => nodeId)).toEqual(['a', 'b', 'end'])
    expect(plan?.relations[0]).toMatchObject({ id: 'a.out', sql: null, source: null, dependsOn: [] })
    expect(plan?.relations[0]?.pinned).toEqual({ ...portOf('a'), runId: 'run:1' })
  })

  it('keeps what another node reads as well', () => {
    expect([...nodesNeeded(graphOf(pinOf(), [edge('s', 'b', { toPort: 'other' })]), undefined)]).toContain(
      's'
    )
    expect([...nodesNeeded(graphOf(pinOf()), 's')]).toEqual(['s'])
    expect([...nodesNeeded(graphOf(pinOf()), 'b')]).toEqual(['b', 'a'])
  })

  it('is the plan without them where they are not to be used', async () => {
    expect(await planOf(graphOf(pinOf()), false)).toEqual(await planOf(graphOf(), false))
    expect(await planOf(graphOf(), true)).toEqual(await planOf(graphOf(), false))
  })

  it('says which column is missing from them', async () => {
    const { plan, problems } = await planOf(graphOf(pinOf('a', 'other')), true)
    expect(plan).toBeUndefined()
    expect(problems).toMatchObject([{ code: 'unknown-column', nodeId: 'b' }])
  })

  it('says which output they have no rows of', async () => {
    const { ports } = pinOf()
    const graph = graphOf(Pin.parse({ runId: 'run:1', ports: { rejected: ports['out'] } }))
    const { problems } = await planOf(graph, true)
    expect(problems).toMatchObject([{ code: 'wrong-port', nodeId: 'a', path: 'edges[1].fromPort' }])
  })

  it('has keys that change with the hash of the pinned rows', async () => {
    const keysFor = async (graph: Graph, usesPins = true) => {
      const { plan } = await planOf(graph, usesPins)
      if (plan === undefined) throw new Error('no plan')
      return relationKeys(plan, {
        engineBuild: 'e',
        fingerprint: () => 'f',
        hash: async (text) => `#${text}`
      })
    }
    const one = await keysFor(graphOf(pinOf()))
    expect(await keysFor(graphOf(pinOf()))).toEqual(one)
    for (const other of [await keysFor(graphOf(pinOf('b'))), await keysFor(graphOf(pinOf()), false)]) {
      for (const id of ['a.out', 'b.out', 'end.in']) {
        expect(one.get(id)).toBeDefined()
        expect(other.get(id)).not.toEqual(one.get(id))
      }
    }
  })
})
