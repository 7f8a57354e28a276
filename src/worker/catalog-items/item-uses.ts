import { z } from 'zod'
import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import { toItemId } from '../../workflow/catalog/catalog-item-state.ts'
import { CatalogKind, KIND_NAMES } from '../../workflow/catalog/content.ts'
import { nodeReferences } from '../../workflow/catalog/references.ts'
import { NodeKind } from '../../workflow/graph.ts'
import type { CatalogUses } from '../api.ts'
import type { IndexedItem } from './item-index.ts'

type Named = Pick<IndexedItem, 'kind' | 'name' | 'itemId'>

const NodeRow = z.object({
  workflow_id: z.string(),
  workflow_name: z.string(),
  version: z.number(),
  status: z.enum(['draft', 'active', 'archived']),
  key: z.string(),
  name: z.string(),
  kind: NodeKind,
  spec_json: z.string()
})
const Spec = z.record(z.string(), z.unknown())

/** Nodes whose spec holds the name anywhere, as JSON writes it; which of them mean it, their specs say. */
const NODES = `SELECT w.id AS workflow_id, w.name AS workflow_name, v.version, v.status, n.key, n.name, n.kind, n.spec_json
  FROM nodes n JOIN workflow_versions v ON v.id = n.workflow_version_id JOIN workflows w ON w.id = v.workflow_id
  WHERE n.key IS NOT NULL AND instr(n.spec_json, ?) > 0
  ORDER BY w.name, v.version DESC, n.rowid`

const usesInWorkflows = async (
  context: DbContext,
  { kind, name }: Named
): Promise<CatalogUses['workflows']> => {
  const rows = await context.projectionStore.query({ sql: NODES, params: [JSON.stringify(name)] })
  return rows.flatMap((row) => {
    const node = NodeRow.parse(row)
    const references = nodeReferences({ kind: node.kind, spec: Spec.parse(JSON.parse(node.spec_json)) })
    return references
      .filter((reference) => reference.kind === kind && reference.name === name)
      .map(({ version }) => ({
        workflowId: node.workflow_id,
        workflowName: node.workflow_name,
        workflowVersion: node.version,
        status: node.status,
        nodeId: node.key,
        nodeName: node.name,
        version: version ?? null
      }))
  })
}

/** The rows that refer to rows of a kind; `?1` is the item's id, `?2` the beginning of its versions' ids. */
const REFERRING = `SELECT 'endpoint' AS kind, id, name FROM endpoints WHERE auth_profile_id = ?1
  UNION ALL SELECT 'request-template', id, name FROM request_templates WHERE endpoint_id = ?1
  UNION ALL SELECT 'dataset', id, name FROM datasets WHERE substr(schema_id, 1, length(?2)) = ?2
  UNION ALL SELECT 'join', id, name FROM joins WHERE left_dataset_id = ?1 OR right_dataset_id = ?1
  ORDER BY 1, 3`
const ReferringRow = z.object({ kind: CatalogKind, id: z.string(), name: z.string() })

/** Everything that names an item: nodes of all versions of workflows, and the newest versions of other items. */
export const findUses = async (context: DbContext, item: Named): Promise<CatalogUses> => {
  const rows = await context.projectionStore.query({
    sql: REFERRING,
    params: [item.itemId, `${item.itemId}@`]
  })
  return {
    workflows: await usesInWorkflows(context, item),
    items: rows.map((row) => {
      const { kind, id, name } = ReferringRow.parse(row)
      return { itemId: toItemId(id), kind, name }
    })
  }
}

/** @throws FlowForgeError `CONFLICT` while a draft or an active version, or another item, names it */
export const refuseWhileUsed = async (
  context: DbContext,
  item: Named,
  verb: 'renamed' | 'removed'
): Promise<void> => {
  const uses = await findUses(context, item)
  const workflows = uses.workflows.filter(({ status }) => status !== 'archived')
  const places = [
    ...workflows.map(
      ({ nodeName, workflowName, workflowVersion, status }) =>
        `"${nodeName}" in "${workflowName}" (version ${workflowVersion}, ${status})`
    ),
    ...uses.items.map(({ kind, name }) => `the ${KIND_NAMES[kind]} "${name}"`)
  ]
  if (places.length === 0) return
  const message = `The ${KIND_NAMES[item.kind]} "${item.name}" cannot be ${verb}: it is used by ${places.join(', ')}. Change that first.`
  throw new FlowForgeError('CONFLICT', message, { workflows, items: uses.items, reason: 'used' })
}
