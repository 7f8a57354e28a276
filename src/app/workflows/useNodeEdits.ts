import { edgeKey, type GraphEdge, type GraphNode } from '../../workflow/graph.ts'
import { copySelection, parseSelection, pasteChanges } from './graph/clipboard-graph.ts'
import { freshName, freshNodeId } from './graph/fresh-names.ts'
import {
  canConnect,
  connectChanges,
  endsOf,
  nodeById,
  type PortRef,
  removeNodesChanges
} from './graph/graph-edits.ts'
import { freePlace, layOut, NODE_WIDTH, positionsOf, type Position } from './graph/layout.ts'
import type { NodeSpec, NodeTemplate } from './graph/node-kinds.ts'
import { portsOfNode } from './graph/ports.ts'
import type { Selection } from './useSelection.ts'
import type { WorkflowDraft } from './useWorkflow.ts'

/** An end of a wire that waits for its other end. */
export type LooseEnd = PortRef & { readonly type: 'from' | 'to' }

/** What a person does to nodes and wires, as edits of the draft. Every call is one undo. */
export const useNodeEdits = (
  workflow: WorkflowDraft,
  selection: Selection,
  notify: (message: string) => void
) => {
  const graph = () => workflow.graph.value

  /** Right of what is selected, else right of everything, where nothing stands. */
  const nextPlace = (): Position => {
    const positions = positionsOf(graph())
    const beside = [...selection.nodeIds.value]
      .map((id) => positions.get(id))
      .find((place) => place !== undefined)
    const all = [...positions.values()]
    const rightmost = all.toSorted((a, b) => b.x - a.x)[0]
    const from = beside ?? rightmost
    return freePlace(from === undefined ? { x: 64, y: 64 } : { x: from.x + NODE_WIDTH + 80, y: from.y }, all)
  }

  const wire = (from: PortRef, to: PortRef, takesMany: boolean) => {
    const { changes, replaced } = connectChanges(graph(), from, to, takesMany)
    const gone = replaced[0]
    if (gone !== undefined) {
      notify(
        `The wire from ${nodeById(graph(), gone.from)?.name ?? gone.from} was replaced. Undo brings it back.`
      )
    }
    return changes
  }

  const takesMany = (to: PortRef): boolean => {
    const node = nodeById(graph(), to.nodeId)
    return node !== undefined && portsOfNode(node).inputs.some(({ name, many }) => name === to.port && many)
  }

  const connect = (from: PortRef, to: PortRef): void => {
    if (canConnect(graph(), from, to)) workflow.edit(wire(from, to, takesMany(to)))
  }

  /** Adds a node, with a wire from or to a loose end if one is given, and selects it. */
  const add = (
    template: NodeTemplate,
    options: { place?: Position; looseEnd?: LooseEnd | null } = {}
  ): string => {
    const name = freshName(template.name, new Set(graph().nodes.map((node) => node.name)))
    const id = freshNodeId(name, new Set(graph().nodes.map((node) => node.id)))
    const place =
      options.place === undefined ? nextPlace() : freePlace(options.place, [...positionsOf(graph()).values()])
    const node: GraphNode = { id, kind: template.kind, name, spec: { ...template.spec }, ...place }
    const ports = portsOfNode(node)
    const { looseEnd } = options
    const input = ports.inputs[0]
    const output = ports.outputs[0]
    const wires =
      looseEnd?.type === 'from' && input !== undefined
        ? wire(looseEnd, { nodeId: id, port: input.name }, input.many)
        : looseEnd?.type === 'to' && output !== undefined
          ? wire({ nodeId: id, port: output }, looseEnd, takesMany(looseEnd))
          : []
    workflow.edit([{ type: 'add-node', node }, ...wires])
    selection.select([id])
    return id
  }

  const disconnect = (edge: GraphEdge): void => workflow.edit([{ type: 'remove-edge', edge: endsOf(edge) }])

  const removeSelected = (): void => {
    const ids = selection.nodeIds.value
    const edges = graph().edges.filter(
      (edge) => selection.edgeKeys.value.has(edgeKey(edge)) && !ids.has(edge.from) && !ids.has(edge.to)
    )
    workflow.edit([
      ...edges.map((edge) => ({ type: 'remove-edge' as const, edge: endsOf(edge) })),
      ...removeNodesChanges(graph(), ids)
    ])
  }

  const move = (places: ReadonlyMap<string, Position>): void =>
    workflow.edit([...places].map(([nodeId, { x, y }]) => ({ type: 'move-node' as const, nodeId, x, y })))

  /** The selected nodes as text for the clipboard, or null where none is selected. */
  const copyText = (): string | null =>
    selection.nodeIds.value.size === 0 ? null : copySelection(graph(), selection.nodeIds.value)

  const pasteText = (text: string): void => {
    const copied = parseSelection(text)
    if (copied === null) return notify('The clipboard holds no nodes. Select some and copy them first.')
    const pasted = pasteChanges(graph(), copied)
    workflow.edit(pasted.changes)
    selection.select(pasted.nodeIds)
  }

  return {
    add,
    connect,
    disconnect,
    remove: (nodeId: string) => workflow.edit(removeNodesChanges(graph(), new Set([nodeId]))),
    removeSelected,
    move,
    layOutAll: () => move(layOut(graph())),
    rename: (nodeId: string, name: string) =>
      workflow.type(`name ${nodeId}`, [{ type: 'rename-node', nodeId, name }]),
    setSpec: (nodeId: string, spec: NodeSpec, typing: boolean) => {
      const changes = [{ type: 'set-spec' as const, nodeId, spec: { ...spec } }]
      if (typing) workflow.type(`spec ${nodeId}`, changes)
      else workflow.edit(changes)
    },
    setCondition: (edge: GraphEdge, condition: string) =>
      workflow.type(`condition ${edgeKey(edge)}`, [
        { type: 'set-condition', edge: endsOf(edge), ...(condition.trim() === '' ? {} : { condition }) }
      ]),
    copyText,
    pasteText
  }
}
export type NodeEdits = ReturnType<typeof useNodeEdits>
