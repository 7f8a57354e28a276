import type { z } from 'zod'
import type { Scope } from '../expression.ts'
import type { NodeKind } from '../graph.ts'
import type {
  DatasetShape,
  PlannedRequests,
  SchemaShape,
  SourceShape,
  UnreadableSource
} from '../plan-types.ts'
import type { ProblemCode } from '../problem.ts'
import type { Column } from '../value-type.ts'

/** Rows that reach a node: the relation's name and its columns. */
export type Reached = { readonly relation: string; readonly columns: readonly Column[] }

/** Rows that leave a node by a port. */
export type Leaving = { readonly sql: string; readonly columns: readonly Column[] }
export type LeavingSource = {
  readonly source: SourceShape
  readonly options: Readonly<Record<string, unknown>>
  /** Where its rows are checked before they leave: the columns as they are read, under the name of the port `rows`. */
  readonly rows?: readonly Column[]
}

/** How many edges may end in a port. */
export type InputPort = { readonly name: string; readonly min: number; readonly max: number }

/** An expression in a spec; `path` leads to it from the spec. */
export type ExpressionAt = {
  readonly path: string
  readonly text: string
  readonly scope: Scope | 'query'
}

export type SpecProblem = { readonly path: string; readonly message: string }

/**
 * What a node needs in order to be compiled. Whatever answers with `undefined` has reported the problem, by its path
 * within the spec; the node is then not planned.
 */
export type Compiling = {
  /** Rows for which an expression fails leave by `rejected`, where it can be told which rows these are. */
  readonly rejectsRows: boolean
  /** Does an edge begin at this port? */
  readonly isRead: (port: string) => boolean
  readonly input: (port: string) => readonly Reached[]
  readonly report: (path: string, code: ProblemCode, message: string) => undefined
  /** The expression, checked over the columns and with its parameters bound, in brackets. */
  readonly expression: (
    path: string,
    text: string,
    scope: Scope,
    columns: readonly Column[]
  ) => Promise<string | undefined>
  /** The same for an expression that must be true or false. */
  readonly condition: (path: string, text: string, columns: readonly Column[]) => Promise<string | undefined>
  readonly query: (path: string, text: string) => string | undefined
  /** A column that must be there. */
  readonly column: (path: string, name: string, columns: readonly Column[]) => Column | undefined
  readonly describe: (path: string, sql: string, over: readonly Reached[]) => Promise<Leaving | undefined>
  readonly findSource: (
    name: string,
    options: Readonly<Record<string, unknown>>
  ) => Promise<SourceShape | UnreadableSource | undefined>
  /** A JSON Schema of the catalog; its newest version where none is named. */
  readonly findSchema: (name: string, version: number | undefined) => Promise<SchemaShape | undefined>
  /** A dataset that rows may be written to; undefined where there is none yet, or none with rows. */
  readonly findDataset: (name: string) => Promise<DatasetShape | undefined>
  /** The name of what leaves by a port, for another port's SQL. */
  readonly relationOf: (port: string) => string
}

/** A relation between a node's inputs and what leaves it; it becomes a table. */
export type InnerRelation = {
  readonly port: string
  readonly sql: string | null
  readonly columns: readonly Column[]
  readonly dependsOn: readonly string[]
  readonly external?: PlannedRequests
}

export type Compiled = {
  readonly source?: LeavingSource
  /** In order; what leaves the node is made of these alone. */
  readonly inner?: readonly InnerRelation[]
  readonly ports: Readonly<Record<string, Leaving>>
  /** Where rows for which an expression fails leave by `rejected`: the condition that tells these from the others there. */
  readonly failed?: string
}

/** A kind of node: how its spec is read, where edges may end and begin, and its SQL. */
export type NodeType<Spec> = {
  readonly kind: NodeKind
  readonly schema: z.ZodType<Spec>
  readonly inputs: (spec: Spec) => readonly InputPort[]
  readonly outputs: (spec: Spec) => readonly string[]
  readonly expressions: (spec: Spec) => readonly ExpressionAt[]
  /** What is wrong in itself, beyond the schema. */
  readonly invalid: (spec: Spec) => readonly SpecProblem[]
  /** What is right but cannot be run by this version. */
  readonly notBuilt: (spec: Spec) => readonly SpecProblem[]
  readonly compile: (spec: Spec, compiling: Compiling) => Promise<Compiled | undefined>
}

/** A node whose spec has been read, its type no longer visible. */
export type ReadNode = {
  readonly inputs: readonly InputPort[]
  readonly outputs: readonly string[]
  readonly expressions: readonly ExpressionAt[]
  readonly invalid: readonly SpecProblem[]
  readonly notBuilt: readonly SpecProblem[]
  readonly compile: (compiling: Compiling) => Promise<Compiled | undefined>
}
export type NodeReader = (
  spec: unknown
) =>
  | { readonly ok: true; readonly node: ReadNode }
  | { readonly ok: false; readonly issues: readonly z.core.$ZodIssue[] }

export const readerOf =
  <Spec>(type: NodeType<Spec>): NodeReader =>
  (raw) => {
    const parsed = type.schema.safeParse(raw)
    if (!parsed.success) return { ok: false, issues: parsed.error.issues }
    const spec = parsed.data
    return {
      ok: true,
      node: {
        inputs: type.inputs(spec),
        outputs: type.outputs(spec),
        expressions: type.expressions(spec),
        invalid: type.invalid(spec),
        notBuilt: type.notBuilt(spec),
        compile: (compiling) => type.compile(spec, compiling)
      }
    }
  }

export const oneInput = (name: string): InputPort => ({ name, min: 1, max: 1 })

/** A key of a record in a path: `.name`, or `["odd name"]`. */
export const keyPath = (key: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`

/** Runs one after the other, so that problems come in the order of the spec; all are run, and undefined if any is. */
export const all = async <T, U>(
  items: readonly T[],
  run: (item: T, index: number) => Promise<U | undefined>
): Promise<readonly U[] | undefined> => {
  const results: U[] = []
  for (const [index, item] of items.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- in order, on purpose
    const result = await run(item, index)
    if (result !== undefined) results.push(result)
  }
  return results.length === items.length ? results : undefined
}
