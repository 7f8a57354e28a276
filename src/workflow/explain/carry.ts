import type { Graph, GraphNode } from '../graph.ts'
import { topologicalOrder } from '../graph-order.ts'
import { HttpSpec } from '../nodes/http-spec.ts'
import { JoinSpec } from '../nodes/join.ts'
import { TransformSpec, type Step } from '../nodes/transform-spec.ts'
import { quoteName, sameName } from '../sql-text.ts'
import { freePrefix, presenceMark, type Carried, type Link } from './carried.ts'
import { portsOf } from './ports-of.ts'
import { createWires, derive, same } from './wires.ts'

type Columns = (relation: string) => readonly string[]

/**
 * Adds the marks to an unfolded graph. A source's row has its number; a group the values that it is grouped by; what a
 * join brings together keeps both. `columnsOf` are the relations' columns without marks. A mark is an ordinary column
 * to the planner, so what a run does to rows and what this does is planned by the same code.
 */
export const carryMarks = (graph: Graph, columnsOf: Columns): Carried => {
  const order = topologicalOrder(graph)
  const everyName = graph.nodes.flatMap(({ id }) =>
    ['out', 'rejected', 'in'].flatMap((port) => columnsOf(`${id}.${port}`))
  )
  const prefix = freePrefix(everyName)
  const rowColumn = `${prefix}row`
  const {
    nodes,
    edges,
    links,
    moved,
    standing,
    incoming,
    marksOf,
    keepEdge,
    viaNode,
    addNode,
    leave,
    passing
  } = createWires(graph)

  const keysOf = (nodeId: string, names: readonly string[]): Readonly<Record<string, string>> =>
    names.length === 0
      ? { [`${prefix}${nodeId}`]: '0' }
      : Object.fromEntries(names.map((name, at) => [`${prefix}${nodeId}.${at}`, quoteName(name)]))

  const addGroup = (
    node: GraphNode,
    steps: readonly Step[],
    names: readonly string[],
    kind: Link['kind'] = 'group'
  ): void => {
    const keys = keysOf(node.id, names)
    const inputs = incoming(node.id).map((edge) => ({
      input: keepEdge(edge),
      columns: columnsOf(`${edge.from}.${edge.fromPort}`)
    }))
    addNode(node, [...steps, derive(keys)])
    const pairsFrom = (columns: readonly string[]): Link['pairs'] =>
      names.map((name, at) => ({
        of: `${prefix}${node.id}.${at}`,
        from: columns.find((column) => sameName(column, name)) ?? null
      }))
    leave(
      `${node.id}.out`,
      Object.keys(keys),
      inputs.map(({ input, columns }) => ({
        input,
        kind,
        pairs: kind === 'unknown' ? [] : pairsFrom(columns)
      }))
    )
  }

  const addUnion = (node: GraphNode): void => {
    const which = `${prefix}${node.id}`
    const inputs = incoming(node.id).map((edge, at) => {
      const own = marksOf(edge)
      const input = viaNode(
        edge,
        `${node.id}<${at}`,
        [derive({ [which]: String(at) })],
        [...own, which],
        same(own)
      )
      return { input, names: [...own, which] }
    })
    addNode(node)
    const all = [...new Set(inputs.flatMap(({ names }) => names))]
    leave(
      `${node.id}.out`,
      all,
      inputs.map(({ input, names }) => ({ input, pairs: same(names), kind: 'row' }))
    )
  }

  const addStep = (node: GraphNode, step: Step | undefined): void => {
    const [edge] = incoming(node.id)
    const own = edge === undefined ? [] : marksOf(edge)
    const dropMarks: readonly Step[] = own.length === 0 ? [] : [{ op: 'drop', columns: [...own] }]
    const visible = columnsOf(`${node.id}.out`)
    const passOn = (steps: readonly Step[], added: readonly string[] = []): void => {
      const from = passing(node.id)
      addNode(node, steps)
      leave(`${node.id}.out`, [...own, ...added], from)
      // Rows for which an expression of the step fails leave as they came.
      leave(`${node.id}.rejected`, own, from)
    }
    if (step === undefined) return passOn([])
    switch (step.op) {
      case 'filter':
      case 'derive':
      case 'drop':
      case 'rename':
      case 'cast':
      case 'sort':
      case 'limit':
        return passOn([])
      case 'select':
        return passOn([{ ...step, columns: [...step.columns, ...own] }])
      case 'unpivot': {
        const mark = `${prefix}${node.id}`
        return passOn([step, derive({ [mark]: quoteName(step.nameTo) })], [mark])
      }
      case 'distinct':
        if (step.by !== undefined && step.by.length > 0) return passOn([])
        return addGroup(node, [...dropMarks, step], visible)
      case 'aggregate':
      case 'pivot':
        return addGroup(node, [step], step.groupBy ?? [])
      case 'sql':
      case 'operator':
        return addGroup(node, [...dropMarks, step], visible, 'unknown')
      case 'union':
        if (step.all !== false) return addUnion(node)
        return addGroup(
          node,
          [{ op: 'union', all: true }, { op: 'select', columns: [...visible] }, { op: 'distinct' }],
          visible
        )
    }
  }

  /** Steps that stand together are there for what they reject, which is rows as they came. */
  const addRejecting = (node: GraphNode): void => {
    const [edge] = incoming(node.id)
    if (edge === undefined) return
    addNode(node)
    leave(`${node.id}.rejected`, marksOf(edge), passing(node.id))
  }

  const addJoin = (node: GraphNode): void => {
    const type = JoinSpec.safeParse(node.spec).data?.type ?? 'inner'
    const [left] = incoming(node.id, 'left')
    const [right] = incoming(node.id, 'right')
    if (left === undefined || right === undefined) return
    if (type === 'semi' || type === 'anti') {
      const link: Link = { input: keepEdge(left), pairs: same(marksOf(left)), kind: 'row' }
      keepEdge(right)
      addNode(node)
      return leave(`${node.id}.out`, marksOf(left), [link])
    }
    // All marks of a row may be NULL, as those of the group without a key: that it is there at all is one more.
    const isThere = (side: string, isOuter: boolean): readonly string[] =>
      isOuter ? [presenceMark(prefix, node.id, side)] : []
    const deriveAll = (names: readonly string[]): readonly Step[] =>
      names.length === 0 ? [] : [derive(Object.fromEntries(names.map((name) => [name, '1'])))]
    const leftThere = isThere('left', type === 'right' || type === 'full')
    const ofLeft = [...marksOf(left), ...leftThere]
    const leftInput =
      leftThere.length === 0
        ? keepEdge(left)
        : viaNode(left, `${node.id}<left`, deriveAll(leftThere), ofLeft, same(marksOf(left)))
    const leftLink: Link = { input: leftInput, pairs: same(ofLeft), kind: 'row' }
    // Under names of their own, so that both sides may come from the same source.
    const renamed = marksOf(right).map((name) => ({
      name,
      to: `${prefix}${node.id}:${name.slice(prefix.length)}`
    }))
    const rightThere = isThere('right', type === 'left' || type === 'full')
    const ofRight = [...renamed.map(({ to }) => to), ...rightThere]
    const rename: Step = {
      op: 'rename',
      columns: Object.fromEntries(renamed.map(({ name, to }) => [name, to]))
    }
    const input = viaNode(
      right,
      `${node.id}<right`,
      [rename, ...deriveAll(rightThere)],
      ofRight,
      renamed.map(({ name, to }) => ({ of: to, from: name }))
    )
    addNode(node)
    leave(`${node.id}.out`, [...ofLeft, ...ofRight], [leftLink, { input, pairs: same(ofRight), kind: 'row' }])
  }

  /** Requests are told apart as they were without marks, or no answer would be found again. */
  const addHttp = (node: GraphNode): void => {
    const [edge] = incoming(node.id)
    const own = edge === undefined ? [] : marksOf(edge)
    const from = passing(node.id)
    const { per, key = [], response } = HttpSpec.safeParse(node.spec).data ?? {}
    const visible = edge === undefined ? [] : columnsOf(`${edge.from}.${edge.fromPort}`)
    const index = `${prefix}${node.id}`
    nodes.push({
      ...node,
      spec: {
        ...node.spec,
        ...(per === 'row' && key.length === 0 ? { key: [...visible] } : {}),
        ...(response === undefined ? {} : { response: { ...response, indexTo: response.indexTo ?? index } })
      }
    })
    for (const port of portsOf(node, graph)) {
      leave(`${node.id}.${port}`, [...own, ...(response === undefined ? [] : [index])], from)
      if (response?.indexTo !== undefined)
        standing.set(`${node.id}.${port}`, { mark: index, column: response.indexTo })
    }
  }

  const add = (node: GraphNode): void => {
    switch (node.kind) {
      case 'source': {
        addNode(node)
        // With a schema, what is read stands before what leaves by either port.
        const isChecked = columnsOf(`${node.id}.rows`).length > 0
        const [read, ...others] = (isChecked ? ['rows', 'out', 'rejected'] : ['out', 'rejected']).map(
          (port) => `${node.id}.${port}`
        )
        if (read === undefined) return
        leave(read, [rowColumn], [])
        for (const id of others)
          leave(id, [rowColumn], [{ input: read, pairs: same([rowColumn]), kind: 'row' }])
        return
      }
      case 'transform': {
        const [first, ...others] = TransformSpec.safeParse(node.spec).data?.steps ?? []
        return others.length > 0 ? addRejecting(node) : addStep(node, first)
      }
      case 'join':
        return addJoin(node)
      case 'http':
        return addHttp(node)
      case 'rule':
      case 'branch':
      case 'sink': {
        const [edge] = incoming(node.id)
        const own = edge === undefined ? [] : marksOf(edge)
        const from = passing(node.id)
        addNode(node)
        for (const port of portsOf(node, graph)) leave(`${node.id}.${port}`, own, from)
      }
    }
  }

  for (const id of order) {
    const node = graph.nodes.find((each) => each.id === id)
    if (node !== undefined) add(node)
  }
  return { graph: { ...graph, nodes, edges }, links, moved, rowColumn, prefix }
}
