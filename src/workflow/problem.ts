/** Something that keeps a workflow from being imported, published or run, said where it is. */
export type Problem = {
  /** A path into the workflow document: `nodes[2].spec.steps[0].where`, `edges[1].toPort`, `` for the whole. */
  readonly path: string
  readonly code: ProblemCode
  /** For a person: what is wrong and what to do. */
  readonly message: string
  /** The node it belongs to, if it belongs to one: a click on the problem leads there. */
  readonly nodeId?: string
}

export const PROBLEM_CODES = [
  'invalid', // does not fit the document's schema
  'duplicate-id',
  'unknown-node', // an edge names a node that is not there
  'wrong-port',
  'missing-input',
  'too-many-inputs',
  'cycle',
  'unknown-source', // no data source of that name in the catalog
  'unknown-item', // no item of that name in the catalog, or not that version
  'misfit', // an item of the catalog does not fit the rows or the arguments that it is given
  'unknown-column',
  'unknown-parameter',
  'expression', // does not parse, or is not one scalar expression
  'not-built-yet' // a node kind or option that this version cannot run
] as const
export type ProblemCode = (typeof PROBLEM_CODES)[number]

const OF_THIS_MACHINE: ReadonlySet<ProblemCode> = new Set([
  'unknown-source',
  'unknown-item',
  'misfit',
  'not-built-yet'
])

/** May it stand in a draft that is imported or published? Such problems speak of this machine, not of the document. */
export const mayStandInDraft = (problem: Problem): boolean => OF_THIS_MACHINE.has(problem.code)
