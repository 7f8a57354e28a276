/** What a simulated worker runs: the code of FlowForge itself, from storage up to the handlers' own steps. */
export { openDbContext } from '../../src/db/index.ts'
export { ALL_PROJECTIONS } from '../../src/workflow/projections/all.ts'
export { workflowAggregate } from '../../src/workflow/workflow/workflow.ts'
export { createAggregateStore } from '../../src/worker/aggregate-store.ts'
export { createEventLog } from '../../src/worker/event-log.ts'
export { createHistory } from '../../src/worker/projections/past.ts'
export { followEvents } from '../../src/worker/subscriptions.ts'
