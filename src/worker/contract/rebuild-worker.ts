import { expose } from 'comlink'
// oxlint-disable-next-line no-restricted-imports -- a composition root of its own, for tests
import { openDbContext } from '../../db/index.ts'
import type { DbContext, Row } from '../../db/ports.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { createEventLog } from '../event-log.ts'
import { startProjections, type Projections } from '../projections/projections.ts'
import { systemWorld } from '../world.ts'

let context: DbContext | null = null
let projections: Projections | null = null

const opened = () => {
  if (context === null || projections === null) throw new Error('Nothing is open.')
  return { context, projections }
}

/** Runs projections over OPFS, in a worker that a test may end at any moment. */
const api = {
  /** `version` is that of the definition of `run-logs`. */
  open: async (directory: string, version: number): Promise<void> => {
    context = await openDbContext({ storage: 'opfs', directory, ...systemWorld })
    const definitions = ALL_PROJECTIONS.map((each) =>
      each.name === 'run-logs' ? { ...each, version } : each
    )
    projections = await startProjections({ context, definitions, world: systemWorld })
  },
  log: async (runId: string, count: number): Promise<void> => {
    await createEventLog(opened().context, ALL_PROJECTIONS).appendMany([
      {
        aggregateId: runId,
        eventType: 'RunQueued',
        payload: {
          workflowId: 'workflow:w',
          workflowVersionId: 'workflow:w@1',
          version: 1,
          workflowName: 'W',
          trigger: 'manual',
          parameters: {}
        }
      },
      ...Array.from({ length: count }, (_, n) => ({
        aggregateId: runId,
        eventType: 'RunLogged',
        payload: { logId: `${runId}/${n}`, level: 'info', message: `${n}` }
      }))
    ])
  },
  query: (sql: string): Promise<Row[]> => opened().context.projectionStore.query({ sql }),
  list: () => opened().projections.list(),
  settled: () => opened().projections.settled(),
  rebuild: (name: string) => opened().projections.rebuild(name),
  close: async (): Promise<void> => {
    await opened().projections.stop()
    await opened().context.close()
  }
}
export type RebuildWorkerApi = typeof api

expose(api)
