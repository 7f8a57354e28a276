import type { Column } from '../value-type.ts'
import type { LineageEdge } from './lineage-edge.ts'

/** What an export needs of a run: facts of the read models. */
export type LineageRun = {
  readonly runId: string
  readonly workflowName: string
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled'
  /** ISO-8601 UTC. */
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly error: string | null
}
export type LineageArtifact = {
  readonly id: string
  readonly role: 'source' | 'result'
  /** A file's name; null for a table. */
  readonly fileName: string | null
  /** The dataset that the rows became a version of. */
  readonly dataset?: string | undefined
  readonly nodeId: string
  readonly columns: readonly Pick<Column, 'name' | 'engineType'>[]
  readonly sha256: string
}
export type LineageLink = { readonly from: string; readonly to: string; readonly edge: LineageEdge }

type Transformation = { type: string; subtype: string; description?: string }
export type InputField = { namespace: string; name: string; field: string; transformations: Transformation[] }
type Facet = { _producer: string; _schemaURL: string }
type Dataset = { namespace: string; name: string; facets: Record<string, Facet & Record<string, unknown>> }
/** An OpenLineage RunEvent, by its schema 2-0-2. */
export type OpenLineageEvent = {
  eventType: 'START' | 'COMPLETE' | 'ABORT' | 'FAIL'
  eventTime: string
  producer: string
  schemaURL: string
  run: { runId: string; facets: Record<string, Facet & Record<string, unknown>> }
  job: { namespace: string; name: string; facets: Record<string, never> }
  inputs: Dataset[]
  outputs: Dataset[]
}

const NAMESPACE = 'flowforge'
const PRODUCER = 'urn:flowforge'
const SPEC = 'https://openlineage.io/spec'
const SCHEMA_URL = `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`

const facet = (path: string, name: string): Facet => ({
  _producer: PRODUCER,
  _schemaURL: `${SPEC}/facets/${path}/${name}.json#/$defs/${name}`
})

type Dependence = NonNullable<LineageEdge['rows']>[number]

const toField = (name: string, { from, type, subtype, maybe }: Dependence): InputField => ({
  namespace: NAMESPACE,
  name,
  field: from,
  transformations: [
    { type, subtype, ...(maybe === true ? { description: 'not known for certain: behind a query' } : {}) }
  ]
})

const isSame = (one: Transformation, other: Transformation): boolean =>
  one.type === other.type && one.subtype === other.subtype && one.description === other.description

/** Fields of one input together, each way that it comes in once. */
const gathered = (fields: readonly InputField[]): InputField[] => {
  const byField = new Map<string, InputField>()
  for (const field of fields) {
    const key = JSON.stringify([field.name, field.field])
    const known = byField.get(key)
    if (known === undefined) byField.set(key, field)
    else {
      const more = field.transformations.filter(
        (one) => !known.transformations.some((other) => isSame(one, other))
      )
      byField.set(key, { ...known, transformations: [...known.transformations, ...more] })
    }
  }
  return [...byField.values()]
}

const END = { succeeded: 'COMPLETE', failed: 'FAIL', canceled: 'ABORT' } as const

/** A run as OpenLineage tells it: that it started and, where it has, that it ended, with the lineage of each result's columns. */
export const toOpenLineage = (
  run: LineageRun,
  artifacts: readonly LineageArtifact[],
  links: readonly LineageLink[]
): OpenLineageEvent[] => {
  /** A dataset has the name by which other workflows read it; whatever else a run writes is the workflow's own. */
  const plainName = ({ fileName, nodeId, role, dataset }: LineageArtifact): string =>
    role === 'source' ? (fileName ?? nodeId) : (dataset ?? `${run.workflowName}/${fileName ?? nodeId}`)
  /** Two files may be called the same: then their content tells them apart. */
  const nameOf = (artifact: LineageArtifact): string => {
    const name = plainName(artifact)
    const isShared = artifacts.some((other) => plainName(other) === name && other.sha256 !== artifact.sha256)
    return isShared ? `${name}@${artifact.sha256}` : name
  }
  const nameOfId = (id: string): string => {
    const artifact = artifacts.find((each) => each.id === id)
    return artifact === undefined ? id : nameOf(artifact)
  }
  /** A file is its table's copy: its lineage is the table's. */
  const leadingTo = (id: string): readonly LineageLink[] => {
    const direct = links.filter(({ to }) => to === id)
    return direct.flatMap((link) => (link.edge.isCopy === true ? leadingTo(link.from) : [link]))
  }
  const columnLineage = ({ id, columns }: LineageArtifact) => {
    const leading = leadingTo(id)
    const fields = columns.map(({ name }) => {
      const inputFields = leading.flatMap(({ from, edge }) =>
        (edge.columns ?? []).filter(({ to }) => to === name).map((each) => toField(nameOfId(from), each))
      )
      return [name, { inputFields: gathered(inputFields) }] as const
    })
    const dataset = leading.flatMap(({ from, edge }) =>
      (edge.rows ?? []).map((each) => toField(nameOfId(from), each))
    )
    return {
      ...facet('1-2-0', 'ColumnLineageDatasetFacet'),
      fields: Object.fromEntries(fields),
      dataset: gathered(dataset)
    }
  }
  const toDataset = (artifact: LineageArtifact): Dataset => ({
    namespace: NAMESPACE,
    name: nameOf(artifact),
    facets: {
      schema: {
        ...facet('1-2-0', 'SchemaDatasetFacet'),
        fields: artifact.columns.map(({ name, engineType }) => ({ name, type: engineType }))
      },
      version: { ...facet('1-0-1', 'DatasetVersionDatasetFacet'), datasetVersion: artifact.sha256 },
      ...(artifact.role === 'result' ? { columnLineage: columnLineage(artifact) } : {})
    }
  })
  const datasets = (role: LineageArtifact['role']): Dataset[] => {
    const all = artifacts.filter((artifact) => artifact.role === role).map(toDataset)
    return [...new Map(all.map((dataset) => [dataset.name, dataset])).values()]
  }

  const event = (eventType: OpenLineageEvent['eventType'], eventTime: string): OpenLineageEvent => ({
    eventType,
    eventTime,
    producer: PRODUCER,
    schemaURL: SCHEMA_URL,
    run: {
      // An id of ours says what it is the id of, before the UUID.
      runId: run.runId.slice(run.runId.indexOf(':') + 1),
      facets:
        run.error === null || eventType === 'START'
          ? {}
          : {
              errorMessage: {
                ...facet('1-0-1', 'ErrorMessageRunFacet'),
                message: run.error,
                programmingLanguage: 'SQL'
              }
            }
    },
    job: { namespace: NAMESPACE, name: run.workflowName, facets: {} },
    inputs: eventType === 'START' ? [] : datasets('source'),
    outputs: eventType === 'START' ? [] : datasets('result')
  })
  const started = event('START', run.startedAt)
  if (run.status === 'queued' || run.status === 'running' || run.finishedAt === null) return [started]
  return [started, event(END[run.status], run.finishedAt)]
}
