import type { Projection } from '../aggregate.ts'
import { artifactsProjection } from './artifacts.ts'
import { catalogProjection } from './catalog.ts'
import { dataSourcesProjection } from './data-sources.ts'
import { runLogsProjection } from './run-logs.ts'
import { runsProjection } from './runs.ts'
import { workflowActivityProjection } from './workflow-activity.ts'
import { workflowsProjection } from './workflows.ts'

/** Every read model, in an order in which a row comes after the rows of other models that it refers to. */
export const ALL_PROJECTIONS: readonly Projection[] = [
  workflowsProjection,
  catalogProjection,
  dataSourcesProjection,
  runsProjection,
  runLogsProjection,
  artifactsProjection,
  workflowActivityProjection
]
