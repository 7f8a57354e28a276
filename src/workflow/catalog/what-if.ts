import type { Graph, GraphEdge, GraphNode } from '../graph.ts'
import { upstreamOf } from '../graph-order.ts'
import type { Rule } from '../nodes/rule.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { nameList, quoteName, quoteText, sameName } from '../sql-text.ts'

/** A graph that compares what two rule sets make of the same rows: a row that differs leaves by `out` of `outcomes`. */
export type Comparison = {
  readonly graph: Graph
  readonly nodeId: string
  /** Columns that the rules of either set; each stands twice in what leaves, as it is and as it would be. */
  readonly compared: readonly string[]
}

/** Names of our own, which no column of a file is likely to have. */
const ROW = '_what_if.row'
const OUTCOME = '_what_if.outcome'
const SIDE = '_what_if.side'

/** What a column is called on either side. */
export const NOW = ' now'
export const THEN = ' with the draft'

const freeId = (graph: Graph, wanted: string): string =>
  graph.nodes.some(({ id }) => id === wanted) ? freeId(graph, `${wanted}_`) : wanted

const edge = (from: string, fromPort: string, to: string): GraphEdge => ({ from, fromPort, to, toPort: 'in' })

const transform = (id: string, ...steps: readonly Record<string, unknown>[]): GraphNode => ({
  id,
  kind: 'transform',
  name: id,
  spec: { steps }
})

/** Names that differ, as the engine tells them apart, in their order. */
const distinct = (names: readonly string[]): readonly string[] =>
  names.filter((name, at) => names.findIndex((other) => sameName(other, name)) === at)

/** Rows by their number; of both sides, those of which anything differs. */
const compareSql = (compared: readonly string[]): string => {
  const both = [OUTCOME, '_rule', '_reason', ...compared]
  const pair = (name: string): string => {
    const said = name === OUTCOME ? '_outcome' : name
    return `o.${quoteName(name)} AS ${quoteName(said + NOW)}, n.${quoteName(name)} AS ${quoteName(said + THEN)}`
  }
  const differs = both.map((name) => `o.${quoteName(name)} IS DISTINCT FROM n.${quoteName(name)}`)
  return (
    `SELECT ${both.map(pair).join(', ')}, o.* EXCLUDE (${nameList([ROW, SIDE, ...both])}) ` +
    `FROM input AS o JOIN input AS n ON o.${quoteName(ROW)} = n.${quoteName(ROW)} ` +
    `WHERE o.${quoteName(SIDE)} = 'now' AND n.${quoteName(SIDE)} = 'draft' AND (${differs.join(' OR ')}) ` +
    `ORDER BY o.${quoteName(ROW)}`
  )
}

/**
 * Sends the rows that reach a rule node through its rules and through others, and compares what becomes of each row: does
 * it pass, by which rule is it rejected and why, and what is set. Everything behind the node is left out. Undefined where
 * the node is no rule node with rules of its own. The graph must be resolved.
 */
export const compareRules = (
  graph: Graph,
  nodeId: string,
  draft: readonly Rule[]
): Comparison | undefined => {
  const node = graph.nodes.find(({ id }) => id === nodeId)
  const spec = node?.kind === 'rule' ? RuleSpec.safeParse(node.spec).data : undefined
  const feeding = graph.edges.filter(({ to }) => to === nodeId)
  if (spec?.rules === undefined || feeding.length === 0) return undefined
  const now = freeId(graph, 'now')
  const then = freeId(graph, 'draft')
  const all = freeId(graph, 'outcomes')
  const numbered = freeId(graph, 'numbered')
  const compared = distinct(
    [...spec.rules, ...draft]
      .flatMap(({ set = {} }) => Object.keys(set))
      .concat(Object.keys(spec.otherwise ?? {}))
  )
  const tagged = (side: string, port: string): string => `${side}_${port}`
  const tag = (side: string, port: string, label: string): GraphNode =>
    transform(freeId(graph, tagged(side, port)), {
      op: 'derive',
      columns: { [SIDE]: quoteText(label), [OUTCOME]: quoteText(port === 'out' ? 'passes' : 'rejected') }
    })
  const sides = [
    { id: now, label: 'now', rules: spec.rules },
    { id: then, label: 'draft', rules: draft }
  ] as const
  const tags = sides.flatMap(({ id, label }) =>
    ['out', 'rejected'].map((port) => ({ from: id, port, node: tag(id, port, label) }))
  )
  const wanted = upstreamOf(graph.edges, nodeId)
  return {
    nodeId: all,
    compared,
    graph: {
      parameters: graph.parameters,
      nodes: [
        ...graph.nodes.filter(({ id }) => wanted.has(id) && id !== nodeId),
        transform(numbered, {
          op: 'sql',
          query: `SELECT *, row_number() OVER () AS ${quoteName(ROW)} FROM input`
        }),
        ...sides.map(({ id, rules }): GraphNode => ({
          id,
          kind: 'rule',
          name: id,
          spec: {
            rules,
            mode: spec.mode,
            ...(spec.otherwise === undefined ? {} : { otherwise: spec.otherwise })
          }
        })),
        ...tags.map((each) => each.node),
        transform(
          all,
          { op: 'union' },
          // Whatever the rules set on one side alone is there on both, and empty.
          { op: 'sql', query: compareSql(compared) }
        )
      ],
      edges: [
        ...graph.edges.filter(({ to }) => wanted.has(to) && to !== nodeId),
        ...feeding.map((each): GraphEdge => ({ ...each, to: numbered, toPort: 'in' })),
        edge(numbered, 'out', now),
        edge(numbered, 'out', then),
        ...tags.flatMap(({ from, port, node: tagging }) => [
          edge(from, port, tagging.id),
          edge(tagging.id, 'out', all)
        ])
      ]
    }
  }
}
