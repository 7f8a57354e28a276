import { KIND_NAMES } from '../../../workflow/catalog/content.ts'
import type { UsedItem } from '../../../workflow/catalog/used-item.ts'
import type { LineageEdge } from '../../../workflow/lineage/lineage-edge.ts'
import type {
  ExplainedPlace,
  ExplainedText,
  MissingExplanation
} from '../../../workflow/explain/explanation.ts'
import { formatQuantity } from '../../ui/format.ts'

const STEPS: Readonly<Record<Exclude<ExplainedPlace['op'], null>, string>> = {
  edge: 'condition of the edge',
  filter: 'filter',
  derive: 'new columns',
  select: 'columns chosen',
  drop: 'columns dropped',
  rename: 'renamed',
  cast: 'type changed',
  aggregate: 'grouped',
  sort: 'sorted',
  limit: 'limited',
  distinct: 'without duplicates',
  pivot: 'pivoted',
  unpivot: 'unpivoted',
  union: 'brought together',
  sql: 'query',
  operator: 'operator'
}
const KINDS: Readonly<Record<ExplainedPlace['kind'], string>> = {
  source: 'read from the file',
  transform: 'transform',
  join: 'joined',
  rule: 'rules',
  http: 'request',
  branch: 'branch',
  sink: 'result'
}

/** What a step does, in a word or two. */
export const placeWord = ({ op, kind }: Pick<ExplainedPlace, 'op' | 'kind'>): string =>
  op === null ? KINDS[kind] : STEPS[op]

/** The items of the catalog that a node used, each once: `rule set “checks”, version 2`. */
export const itemWords = (items: readonly UsedItem[], nodeId: string): readonly string[] => [
  ...new Set(
    items
      .filter((item) => item.nodeId === nodeId)
      .map(({ kind, name, version }) => `${KIND_NAMES[kind]} “${name}”, version ${version}`)
  )
]

/** A text of a workflow as it is read: `total = sum(amount)`. */
export const textLine = ({ role, column, text }: ExplainedText): string => {
  switch (role) {
    case 'value':
      return column === null ? text : `${column} = ${text}`
    case 'condition':
      return `where ${text}`
    case 'keys':
      return `by ${text}`
    case 'query':
      return text
  }
}

const INFLUENCES: Readonly<Record<NonNullable<LineageEdge['rows']>[number]['subtype'], string>> = {
  IDENTITY: 'unchanged',
  TRANSFORMATION: 'computed',
  AGGREGATION: 'aggregated',
  JOIN: 'joins rows',
  GROUP_BY: 'groups rows',
  FILTER: 'filters rows',
  SORT: 'sorts rows',
  WINDOW: 'windows',
  CONDITIONAL: 'chooses the value'
}

/** How one column comes into another. */
export const influenceWord = ({
  subtype,
  maybe
}: Pick<NonNullable<LineageEdge['rows']>[number], 'subtype' | 'maybe'>): string =>
  maybe === true ? 'perhaps, through a query' : INFLUENCES[subtype]

/** What became of a row that was looked for, in a sentence. */
export const verdictOf = ({ outcome, rows, steps }: MissingExplanation): string => {
  switch (outcome) {
    case 'there':
      return `It is there: ${formatQuantity(rows, 'row')} of the result come from it.`
    case 'never':
      return 'It never was there: no source has such a row.'
    case 'unknown':
      return 'A query stands in between: which rows are in its answer is not known.'
    case 'lost':
      return `It was lost at ${steps.at(-1)?.name ?? 'a step'}.`
  }
}
