import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import type { CatalogContent } from '../workflow/catalog/content.ts'
import { resolveGraph } from '../workflow/catalog/resolve.ts'
import { toGraph } from '../workflow/document.ts'
import { EMPTY_GRAPH, type Graph } from '../workflow/graph.ts'
import { ALL_PROJECTIONS } from '../workflow/projections/all.ts'
import { workflowAggregate } from '../workflow/workflow/workflow.ts'
import { createAggregateStore, type AggregateStore } from './aggregate-store.ts'
import type { FlowForgeApi } from './api.ts'
import { createCatalogHandlers } from './catalog-handlers.ts'
import { createItemVersions } from './catalog-items/item-versions.ts'
import { createEventLog } from './event-log.ts'
import { systemWorld } from './world.ts'

let context: DbContext
let aggregates: AggregateStore
let catalog: FlowForgeApi['catalog']
beforeEach(async () => {
  context = await openDbContext({ storage: 'memory', ...systemWorld })
  aggregates = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
  catalog = createCatalogHandlers({
    context,
    aggregates,
    world: systemWorld,
    whatIf: () => Promise.resolve({ nodes: [] })
  })
})
afterEach(() => context.close())

const rows = (sql: string) => context.projectionStore.query({ sql })
const sizes = (when: string) => ({ rules: [{ name: 'big', when, set: { size: `'big'` } }] })
const createSizes = (name = 'Sizes') =>
  catalog.create({ name, content: { kind: 'rule-set', spec: sizes('a > 1') } })
const create = async (name: string, content: CatalogContent) =>
  (await catalog.create({ name, content })).itemId

const ruleGraph = (ruleSet: { name: string; version?: number }): Graph =>
  toGraph({ nodes: [{ id: 'r', kind: 'rule', name: 'Rate', spec: { ruleSet } }], edges: [] })
const createWorkflow = (graph: Graph, id = 'workflow:w') =>
  aggregates.execute(workflowAggregate, id, { type: 'CreateWorkflow', name: id, graph })

describe('items', () => {
  test('have rows with the document’s columns: one, or of rule sets and schemas one a version', async () => {
    const { itemId } = await createSizes()
    await catalog.edit({ itemId, spec: sizes('a > 2') })
    expect(await catalog.publish({ itemId })).toEqual({ version: 2 })
    expect(await rows('SELECT id, name, version, rules_json FROM rule_sets ORDER BY version')).toEqual(
      [1, 2].map((version) => ({
        id: `${itemId}@${version}`,
        name: 'Sizes',
        version,
        rules_json: JSON.stringify(sizes(`a > ${version}`).rules)
      }))
    )
    const endpoint = await create('People', {
      kind: 'endpoint',
      spec: { baseUrl: 'https://example.com', headers: { Accept: 'text/csv' } }
    })
    const template = await create('Person', {
      kind: 'request-template',
      spec: { endpoint: 'People', method: 'GET', path: '/{{id}}' }
    })
    expect(
      await rows(
        'SELECT id, endpoint_id, method, path_template, headers_template_json, body_template FROM request_templates'
      )
    ).toEqual([
      {
        id: template,
        endpoint_id: endpoint,
        method: 'GET',
        path_template: '/{{id}}',
        headers_template_json: null,
        body_template: null
      }
    ])
    await create('S', { kind: 'schema', spec: { jsonSchema: { type: 'object' } } })
    await create('L', { kind: 'dataset', spec: { schema: { name: 'S' } } })
    await create('R', { kind: 'dataset', spec: {} })
    await create('J', {
      kind: 'join',
      spec: { left: 'L', right: 'R', type: 'semi', on: [{ left: 'a', right: 'b"' }], onExpression: 'x > y' }
    })
    expect(await rows('SELECT join_type, on_expr FROM joins')).toEqual([
      { join_type: 'semi', on_expr: `"_left"."a" = "_right"."b""" AND (x > y)` }
    ])
    expect(await catalog.list({})).toMatchObject([
      { kind: 'dataset', name: 'L' },
      { kind: 'dataset', name: 'R' },
      { kind: 'endpoint', name: 'People' },
      { kind: 'join', name: 'J' },
      { kind: 'request-template', name: 'Person' },
      { kind: 'rule-set', name: 'Sizes', itemId },
      { kind: 'schema', name: 'S' }
    ])
    expect(await catalog.list({ search: 'PE', kind: 'endpoint' })).toHaveLength(1)
  })

  test('are seen with their versions, when each came, and their draft', async () => {
    const { itemId } = await createSizes()
    const drafted = await catalog.edit({ itemId, spec: sizes('a > 2') })
    expect(drafted).toMatchObject({ name: 'Sizes', canUndo: true, draft: { spec: sizes('a > 2') } })
    expect(await catalog.undo({ itemId })).toMatchObject({ draft: null, canRedo: true })
    await catalog.redo({ itemId })
    await catalog.publish({ itemId })
    const { versions, draft } = await catalog.get({ kind: 'rule-set', name: 'Sizes' })
    expect(draft).toBeNull()
    expect(versions.map(({ version }) => version)).toEqual([1, 2])
    expect(new Set(versions.map(({ sha256 }) => sha256)).size).toBe(2)
    expect(versions.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true)
    expect(versions.every(({ publishedAt }) => !Number.isNaN(Date.parse(publishedAt)))).toBe(true)
  })

  test('have names of their own, once a kind', async () => {
    const { itemId } = await createSizes()
    await expect(createSizes()).rejects.toMatchObject({ code: 'CONFLICT', details: { itemId } })
    await create('Sizes', { kind: 'schema', spec: { jsonSchema: {} } })
    const other = await createSizes('Others')
    await expect(catalog.rename({ itemId: other.itemId, name: 'Sizes' })).rejects.toMatchObject({
      code: 'CONFLICT'
    })
    await catalog.rename({ itemId, name: 'Measures' })
    expect(await rows(`SELECT name FROM rule_sets WHERE id = '${itemId}@1'`)).toEqual([{ name: 'Measures' }])
    await createSizes()
  })

  test('refuse what is no spec of their kind, and what names nothing', async () => {
    const { itemId } = await createSizes()
    await expect(catalog.edit({ itemId, spec: { baseUrl: 'x' } })).rejects.toMatchObject({
      code: 'INVALID_INPUT'
    })
    const template = create('T', {
      kind: 'request-template',
      spec: { endpoint: 'Nowhere', method: 'GET', path: '/' }
    })
    await expect(template).rejects.toThrow(/no endpoint "Nowhere"/)
    expect(await catalog.list({ kind: 'request-template' })).toEqual([])
    await expect(catalog.get({ itemId: 'catalog:none' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a call that is sent again lands once', async () => {
    const handlers = catalog as unknown as Record<string, (args: unknown, callId: string) => Promise<unknown>>
    const args = { name: 'Sizes', content: { kind: 'rule-set', spec: sizes('a > 1') } }
    const first = await handlers['create']?.(args, 'call-1')
    expect(await handlers['create']?.(args, 'call-1')).toEqual(first)
    const itemId = 'catalog:call-1'
    await catalog.edit({ itemId, spec: sizes('a > 2') })
    expect(await handlers['publish']?.({ itemId }, 'call-2')).toEqual({ version: 2 })
    expect(await handlers['publish']?.({ itemId }, 'call-2')).toEqual({ version: 2 })
    await handlers['remove']?.({ itemId }, 'call-3')
    await handlers['remove']?.({ itemId }, 'call-3')
    expect(await catalog.list({})).toEqual([])
  })
})

describe('what is used', () => {
  test('tells where, and is neither renamed nor removed', async () => {
    const { itemId } = await createSizes()
    await createWorkflow(ruleGraph({ name: 'Sizes', version: 1 }))
    expect(await catalog.whereUsed({ itemId })).toEqual({
      workflows: [
        {
          workflowId: 'workflow:w',
          workflowName: 'workflow:w',
          workflowVersion: 1,
          status: 'draft',
          nodeId: 'r',
          nodeName: 'Rate',
          version: 1
        }
      ],
      items: []
    })
    const message = /"Rate" in "workflow:w" \(version 1, draft\)/
    await expect(catalog.remove({ itemId })).rejects.toThrow(message)
    await expect(catalog.rename({ itemId, name: 'X' })).rejects.toMatchObject({ code: 'CONFLICT' })
    await aggregates.execute(workflowAggregate, 'workflow:w', { type: 'RemoveWorkflow' })
    await catalog.remove({ itemId })
    expect(await rows('SELECT * FROM rule_sets')).toEqual([])
  })

  test('may go when archived versions alone name it', async () => {
    const { itemId } = await createSizes()
    await createWorkflow(ruleGraph({ name: 'Sizes' }))
    const draft = { type: 'EditDraft', changes: [{ type: 'remove-node', nodeId: 'r' }] } as const
    await aggregates.execute(workflowAggregate, 'workflow:w', { type: 'PublishDraft' }, draft, {
      type: 'PublishDraft'
    })
    expect((await catalog.whereUsed({ itemId })).workflows).toMatchObject([
      { status: 'archived', version: null }
    ])
    await catalog.remove({ itemId })
  })

  test('by other items stays, too', async () => {
    const schema = await create('S', { kind: 'schema', spec: { jsonSchema: {} } })
    const left = await create('L', { kind: 'dataset', spec: { schema: { name: 'S', version: 1 } } })
    await create('J', { kind: 'join', spec: { left: 'L', right: 'L', type: 'inner', onExpression: 'true' } })
    expect((await catalog.whereUsed({ itemId: schema })).items).toMatchObject([
      { kind: 'dataset', name: 'L' }
    ])
    await expect(catalog.remove({ itemId: left })).rejects.toThrow(/the join "J"/)
  })

  test('is not what merely has the name somewhere in its spec', async () => {
    const { itemId } = await createSizes('big')
    await createWorkflow(
      toGraph({
        nodes: [{ id: 'r', kind: 'rule', name: 'Rate', spec: { rules: sizes('true').rules } }],
        edges: []
      })
    )
    expect((await catalog.whereUsed({ itemId })).workflows).toEqual([])
  })
})

describe('items for a graph', () => {
  const forGraph = async (graph: Graph) =>
    resolveGraph(graph, await createItemVersions(context, aggregates).forGraph(graph))

  test('are of the newest version or the pinned one, never of the draft', async () => {
    const { itemId } = await createSizes()
    await catalog.edit({ itemId, spec: sizes('a > 2') })
    await catalog.publish({ itemId })
    await catalog.edit({ itemId, spec: sizes('a > 3') })
    const { versions } = await catalog.get({ itemId })
    const latest = await forGraph(ruleGraph({ name: 'Sizes' }))
    expect(latest.used).toMatchObject([{ itemId, version: 2, sha256: versions[1]?.sha256 }])
    const pinned = await forGraph(ruleGraph({ name: 'Sizes', version: 1 }))
    expect(pinned.graph.nodes[0]?.spec).toEqual({ rules: sizes('a > 1').rules })
    const missing = await forGraph(ruleGraph({ name: 'Sises' }))
    expect(missing.problems[0]?.message).toMatch(/Did you mean "Sizes"/)
  })

  test('bring what they name with them', async () => {
    await create('Nobody', { kind: 'auth-profile', spec: { kind: 'none' } })
    await create('People', {
      kind: 'endpoint',
      spec: { baseUrl: 'https://example.com', authProfile: 'Nobody' }
    })
    await create('Person', {
      kind: 'request-template',
      spec: { endpoint: 'People', method: 'GET', path: '/{{id}}' }
    })
    const http = { id: 'h', kind: 'http' as const, name: 'Ask', spec: { template: 'Person' } }
    const { problems, used } = await forGraph({ ...EMPTY_GRAPH, nodes: [http] })
    expect(problems).toEqual([])
    expect(used.map(({ kind }) => kind)).toEqual(['request-template', 'endpoint', 'auth-profile'])
  })

  test('are none that a caller wrote past the log', async () => {
    await context.projectionStore.upsert({
      table: 'rule_sets',
      rows: [{ id: 'mine', name: 'Mine', version: 1, rules_json: [], created_at: 'now' }]
    })
    expect((await forGraph(ruleGraph({ name: 'Mine' }))).problems).toMatchObject([{ code: 'unknown-item' }])
  })
})
