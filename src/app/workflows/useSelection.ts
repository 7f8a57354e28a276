import { computed, shallowRef, watch } from 'vue'
import { edgeKey } from '../../workflow/graph.ts'
import { nodeById } from './graph/graph-edits.ts'
import type { WorkflowDraft } from './useWorkflow.ts'

const sameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((item) => b.has(item))

/** What is selected: nodes by id, edges by key. */
export const useSelection = (workflow: WorkflowDraft) => {
  const nodeIds = shallowRef<ReadonlySet<string>>(new Set())
  const edgeKeys = shallowRef<ReadonlySet<string>>(new Set())

  const select = (nodes: Iterable<string>, edges: Iterable<string> = []): void => {
    const nextNodes = new Set(nodes)
    const nextEdges = new Set(edges)
    if (!sameSet(nodeIds.value, nextNodes)) nodeIds.value = nextNodes
    if (!sameSet(edgeKeys.value, nextEdges)) edgeKeys.value = nextEdges
  }

  // What is removed, by whomever, is no longer selected.
  watch(workflow.graph, (graph) => {
    const nodes = new Set(graph.nodes.map(({ id }) => id))
    const edges = new Set(graph.edges.map(edgeKey))
    select(
      [...nodeIds.value].filter((id) => nodes.has(id)),
      [...edgeKeys.value].filter((key) => edges.has(key))
    )
  })

  /** The one node that is selected, if it is one. */
  const node = computed(() => {
    const [only, ...others] = nodeIds.value
    return only === undefined || others.length > 0 ? null : (nodeById(workflow.graph.value, only) ?? null)
  })
  const edge = computed(() => {
    const [only, ...others] = edgeKeys.value
    if (only === undefined || others.length > 0 || nodeIds.value.size > 0) return null
    return workflow.graph.value.edges.find((candidate) => edgeKey(candidate) === only) ?? null
  })

  return { nodeIds, edgeKeys, node, edge, select, clear: () => select([]) }
}
export type Selection = ReturnType<typeof useSelection>
