import type { RecordedEvent, RowChange } from '../aggregate.ts'
import { catalogEvents, type CatalogEvent } from '../catalog/events.ts'
import type { DataSourceEvent } from '../data-source/events.ts'
import { dataSourceEvents } from '../data-source/events.ts'
import type { RunEvent } from '../run/events.ts'
import { runEvents } from '../run/events.ts'
import type { WorkflowEvent } from '../workflow/events.ts'
import { workflowEvents } from '../workflow/events.ts'

/** What one of an aggregate's events changes in a read model. */
export type Reading<E extends { readonly type: string; readonly payload: object }> = (
  event: RecordedEvent<E>
) => readonly RowChange[]

// A recorded event's payload was parsed by the schema of its type; that its type is one of these says what it holds.
const isWorkflowEvent = (event: RecordedEvent): event is RecordedEvent<WorkflowEvent> =>
  Object.hasOwn(workflowEvents, event.type)
const isRunEvent = (event: RecordedEvent): event is RecordedEvent<RunEvent> =>
  Object.hasOwn(runEvents, event.type)
const isDataSourceEvent = (event: RecordedEvent): event is RecordedEvent<DataSourceEvent> =>
  Object.hasOwn(dataSourceEvents, event.type)
const isCatalogEvent = (event: RecordedEvent): event is RecordedEvent<CatalogEvent> =>
  Object.hasOwn(catalogEvents, event.type)

export const readWorkflowEvents =
  (read: Reading<WorkflowEvent>) =>
  (event: RecordedEvent): readonly RowChange[] =>
    isWorkflowEvent(event) ? read(event) : []

export const readRunEvents =
  (read: Reading<RunEvent>) =>
  (event: RecordedEvent): readonly RowChange[] =>
    isRunEvent(event) ? read(event) : []

export const readDataSourceEvents =
  (read: Reading<DataSourceEvent>) =>
  (event: RecordedEvent): readonly RowChange[] =>
    isDataSourceEvent(event) ? read(event) : []

export const readCatalogEvents =
  (read: Reading<CatalogEvent>) =>
  (event: RecordedEvent): readonly RowChange[] =>
    isCatalogEvent(event) ? read(event) : []
