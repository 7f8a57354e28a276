import type { CatalogEvent } from './catalog/events.ts'
import type { DataSourceEvent } from './data-source/events.ts'
import type { RunEvent } from './run/events.ts'
import type { WorkflowEvent } from './workflow/events.ts'

/**
 * The events with which a stream ends, by its aggregate's type. After one of them an aggregate takes no command, but for a
 * run that failed or was canceled: a person may resume it, and it ends once more.
 */
const LAST_EVENTS: Readonly<Record<string, readonly string[]>> = {
  run: ['RunSucceeded', 'RunFailed', 'RunCanceled'] satisfies RunEvent['type'][],
  workflow: ['WorkflowRemoved'] satisfies WorkflowEvent['type'][],
  datasource: ['DataSourceRemoved'] satisfies DataSourceEvent['type'][],
  catalog: ['CatalogItemRemoved'] satisfies CatalogEvent['type'][]
}

/** All of them, to look for. */
export const LAST_EVENT_TYPES: readonly string[] = Object.values(LAST_EVENTS).flat()

/** What is known of a stream by its newest event. */
export type StreamEnd = { readonly aggregateType: string; readonly eventType: string }

/** Has a stream ended? One of a type that FlowForge does not define never has, as far as it knows. */
export const hasEnded = ({ aggregateType, eventType }: StreamEnd): boolean =>
  (Object.hasOwn(LAST_EVENTS, aggregateType) ? LAST_EVENTS[aggregateType] : undefined)?.includes(eventType) ??
  false
