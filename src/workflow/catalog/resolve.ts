import type { Graph, Parameters, ParameterValues } from '../graph.ts'
import type { Problem } from '../problem.ts'
import type { ContentOf } from './content.ts'
import { resolveNode } from './resolve-node.ts'
import { isOfKind, missingMessage, type CatalogItems, type Moved, type Resolving } from './resolving.ts'
import type { UsedItem } from './used-item.ts'

export type { CatalogItems, CatalogVersion } from './resolving.ts'
export type { UsedItem } from './used-item.ts'

/** A graph whose nodes say themselves what they named before, so that a planner needs no catalog for them. */
export type ResolvedGraph = {
  readonly graph: Graph
  /** In the order of the nodes. */
  readonly used: readonly UsedItem[]
  /** The schema that a source's rows must fit, by the source's node id. */
  readonly schemas: ReadonlyMap<string, ContentOf<'schema'>['spec']['jsonSchema']>
  /** What is missing, or does not fit. A node that is concerned is left as it was. */
  readonly problems: readonly Problem[]
  /** Values of the parameters that the graph has beside its own. */
  readonly values: ParameterValues
  /** A problem of the resolved graph, said of the graph as the person drew it. */
  readonly toOriginal: (problem: Problem) => Problem
}

type MovedAt = Moved & { readonly nodePath: string }

const isUnder = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && /^($|[.[])/.test(path.slice(prefix.length))

const toOriginal = (problem: Problem, moves: readonly MovedAt[]): Problem => {
  const move = moves.find(({ nodePath, from }) => isUnder(problem.path, nodePath + from))
  if (move === undefined) return problem
  const to = move.nodePath + move.to
  if (move.item === undefined) {
    return { ...problem, path: to + problem.path.slice((move.nodePath + move.from).length) }
  }
  // The item may be another on another machine: it keeps no document from being imported.
  return { ...problem, path: to, code: 'misfit', message: `In ${move.item}: ${problem.message}` }
}

/** Resolves every name of the catalog in a graph. Pure: the same graph and items give the same answer. */
export const resolveGraph = (graph: Graph, items: CatalogItems): ResolvedGraph => {
  const problems: Problem[] = []
  const used: UsedItem[] = []
  const moves: MovedAt[] = []
  const schemas = new Map<string, ContentOf<'schema'>['spec']['jsonSchema']>()
  let parameters: Parameters = graph.parameters

  const resolvingOf = (nodeId: string, nodePath: string): Resolving => {
    const report: Resolving['report'] = (path, code, message) => {
      problems.push({ path: nodePath + path, code, message, nodeId })
      return undefined
    }
    return {
      report,
      parameters,
      use: (kind, { name, version, path }) => {
        const found = items.find(kind, name, version)
        if (found === undefined || 'newest' in found) {
          return report(path, 'unknown-item', missingMessage(items, kind, { name, version }, found))
        }
        if (!isOfKind(found, kind)) return undefined
        const { itemId, sha256 } = found
        used.push({ nodeId, path, kind, itemId, name, version: found.version, sha256 })
        if (isOfKind(found, 'schema')) schemas.set(nodeId, found.spec.jsonSchema)
        return found
      }
    }
  }

  const nodes = graph.nodes.map((node, index) => {
    const nodePath = `nodes[${index}].spec`
    const resolved = resolveNode(node, resolvingOf(node.id, nodePath))
    if (resolved === undefined) return node
    moves.push(...resolved.moved.map((move) => ({ ...move, nodePath })))
    parameters = { ...parameters, ...resolved.added }
    return { ...node, spec: { ...resolved.spec } }
  })

  const values = Object.fromEntries(
    Object.entries(parameters)
      .filter(([name]) => !Object.hasOwn(graph.parameters, name))
      .map(([name, definition]) => [name, definition.default ?? null])
  )
  return {
    graph: { ...graph, parameters, nodes },
    used,
    schemas,
    problems,
    values,
    toOriginal: (problem) => toOriginal(problem, moves)
  }
}
