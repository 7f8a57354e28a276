import type { Binder, Complaint } from './binder.ts'
import { didYouMean } from './did-you-mean.ts'
import { rewriteParameters, runVariableNames } from './expression.ts'
import { inspectText } from './graph-check.ts'
import type { Graph } from './graph.ts'
import type { Compiling, Reached } from './nodes/node-type.ts'
import type { DatasetShape, SchemaShape, SourceShape, UnreadableSource } from './plan-types.ts'
import type { Problem, ProblemCode } from './problem.ts'
import { findColumn } from './sql-text.ts'
import type { Column } from './value-type.ts'

/** What the planner asks of the catalog. */
export type PlanCatalog = {
  readonly find: (
    name: string,
    options: Readonly<Record<string, unknown>>
  ) => Promise<SourceShape | UnreadableSource | undefined>
  readonly findSchema?: (name: string, version: number | undefined) => Promise<SchemaShape | undefined>
  readonly findDataset?: (name: string) => Promise<DatasetShape | undefined>
}

type Place = {
  readonly nodeId: string
  /** Where in the document the paths that are reported begin. */
  readonly path: string
  readonly inputs: Readonly<Record<string, readonly Reached[]>>
}
type Found = { readonly problems: Problem[]; readonly used: Set<string> }

/** What a node is given to be compiled with; problems go to `found`, with their path and node. */
export const createCompiling = (
  {
    graph,
    binder,
    catalog,
    rejecting
  }: {
    readonly graph: Graph
    readonly binder: Binder
    readonly catalog: PlanCatalog
    readonly rejecting?: ReadonlySet<string> | undefined
  },
  found: Found,
  { nodeId, path, inputs }: Place
): Compiling => {
  const report = (at: string, code: ProblemCode, message: string): undefined => {
    found.problems.push({ path: path + at, code, message, nodeId })
    return undefined
  }

  const unknownColumn = (at: string, name: string, columns: readonly Column[]): undefined => {
    const names = columns.map((column) => column.name)
    const known = names.length <= 12 ? ` There are: ${names.join(', ')}.` : ''
    const message = `There is no column "${name}" here.${didYouMean(name, names) || known}`
    return report(at, 'unknown-column', message)
  }

  const complain = (at: string, complaint: Complaint, columns: readonly Column[]): undefined =>
    complaint.unknownColumn === undefined
      ? report(at, 'expression', complaint.message)
      : unknownColumn(at, complaint.unknownColumn, columns)

  /** The text with its parameters bound; undefined where its first gate, which has reported it, does not let it through. */
  const bind = (text: string, scope: 'scalar' | 'aggregate' | 'query'): string | undefined => {
    const inspected = inspectText({ text, scope })
    if (!inspected.ok) return undefined
    if (inspected.parameters.some((name) => !Object.hasOwn(graph.parameters, name))) return undefined
    for (const name of [...inspected.parameters, ...runVariableNames(text)]) found.used.add(name)
    return rewriteParameters(text, graph.parameters)
  }

  const expression: Compiling['expression'] = async (at, text, scope, columns) => {
    const bound = bind(text, scope)
    if (bound === undefined) return undefined
    const checked =
      scope === 'scalar'
        ? await binder.checkScalar(bound, columns)
        : await binder.checkAggregate(bound, columns)
    return checked.ok ? `(${bound})` : complain(at, checked, columns)
  }

  const describe: Compiling['describe'] = async (at, sql, over) => {
    // A relation that reaches a node twice, as in a join with itself, has one name all the same.
    const shapes = [...new Map(over.map(({ relation, columns }) => [relation, columns]))].map(
      ([name, columns]) => ({ name, columns })
    )
    const described = await binder.describe(sql, shapes)
    if (described.ok) return { sql, columns: described.columns }
    return complain(
      at,
      described,
      over.flatMap(({ columns }) => columns)
    )
  }

  return {
    rejectsRows: rejecting?.has(nodeId) ?? false,
    isRead: (port) => graph.edges.some(({ from, fromPort }) => from === nodeId && fromPort === port),
    input: (port) => inputs[port] ?? [],
    report,
    expression,
    condition: async (at, text, columns) => {
      const sql = await expression(at, text, 'scalar', columns)
      if (sql === undefined) return undefined
      const relation = '_condition'
      const described = await describe(at, `SELECT ${sql} AS "is" FROM "${relation}"`, [
        { relation, columns }
      ])
      const type = described?.columns[0]?.type
      if (type === undefined || type === 'boolean') return type && sql
      return report(at, 'expression', `A condition is true or false; this one is of type ${type}.`)
    },
    describe,
    query: (_, text) => bind(text, 'query'),
    column: (at, name, columns) => findColumn(columns, name) ?? unknownColumn(at, name, columns),
    findSource: (name, options) => catalog.find(name, options),
    findSchema: async (name, version) => catalog.findSchema?.(name, version),
    findDataset: async (name) => catalog.findDataset?.(name),
    relationOf: (port) => `${nodeId}.${port}`
  }
}
