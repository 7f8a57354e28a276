import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import type { Projection } from '../../workflow/aggregate.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { createDeferred } from '../deferred.ts'
import { createEventLog } from '../event-log.ts'
import { systemWorld } from '../world.ts'
import { createHistory, type History } from './past.ts'
import { WINDOW } from './replay.ts'

const never = (): Promise<void> => new Promise(() => undefined)
const COUNT = 'SELECT count(*) AS n FROM run_logs'

describe('the past', () => {
  let context: DbContext
  let history: History
  beforeEach(async () => {
    context = await openDbContext({ storage: 'memory', ...systemWorld })
    history = createHistory({ context, definitions: ALL_PROJECTIONS, wait: never })
    await createEventLog(context, ALL_PROJECTIONS).appendMany([
      {
        aggregateId: 'run:r',
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
      ...Array.from({ length: 2 * WINDOW }, (_, n) => ({
        aggregateId: 'run:r',
        eventType: 'RunLogged',
        payload: { logId: `log:${n}`, level: 'info', message: `${n}` }
      }))
    ])
  })
  afterEach(async () => {
    await history.forget()
    await context.close()
  })
  const logsAt = async (position: number) => (await history.stateAt({ position, sql: COUNT })).rows[0]?.['n']

  test('goes on from what was built, and begins anew for what lies before it', async () => {
    const opened = vi.spyOn(context, 'openPast')
    expect([await logsAt(1), await logsAt(11), await logsAt(WINDOW + 5)]).toEqual([0, 10, WINDOW + 4])
    expect(opened).toHaveBeenCalledTimes(1)
    expect(await logsAt(3)).toBe(2)
    expect(opened).toHaveBeenCalledTimes(2)
    expect(await Promise.all([logsAt(7), logsAt(4), logsAt(0)])).toEqual([6, 3, 0])
  })

  test('is answered for the log’s end where the position lies behind it', async () => {
    expect(await history.stateAt({ position: 1e9, sql: COUNT })).toEqual({
      position: 2 * WINDOW + 1,
      rows: [{ n: 2 * WINDOW }],
      stopped: []
    })
  })

  test('is freed when nobody has asked for a while', async () => {
    const late = createDeferred<void>()
    const forgetful = createHistory({ context, definitions: ALL_PROJECTIONS, wait: () => late.promise })
    const opened = vi.spyOn(context, 'openPast')
    await forgetful.stateAt({ position: 1, sql: COUNT })
    late.resolve()
    await vi.waitFor(
      async () => {
        await forgetful.stateAt({ position: 2, sql: COUNT })
        expect(opened.mock.calls.length).toBeGreaterThan(1)
      },
      { timeout: 15_000 }
    )
    await forgetful.forget()
  })

  test('lets writers come between', async () => {
    const order: string[] = []
    const asked = logsAt(2 * WINDOW).then(() => order.push('past'))
    await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
    order.push('append')
    await asked
    expect(order).toEqual(['append', 'past'])
  })

  test('is of projections alone, and cannot be written', async () => {
    const ask = (sql: string) => history.stateAt({ position: 1, sql })
    await expect(ask('SELECT * FROM schedules')).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
    await expect(ask('DELETE FROM runs')).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
    expect((await ask('SELECT workflow_name, queued FROM workflow_activity')).rows).toEqual([
      { workflow_name: 'W', queued: 1 }
    ])
  })

  test('says where a projection stood still', async () => {
    const definitions = ALL_PROJECTIONS.map((each): Projection => ({
      ...each,
      project: (event) => {
        if (event.type === 'RunLogged' && event.position === 5) throw new Error('This cannot be shown.')
        return each.project(event)
      }
    }))
    history = createHistory({ context, definitions, wait: never })
    const [fifth] = await context.eventStore.readAll({ afterPosition: 4, limit: 1 })
    expect(await history.stateAt({ position: 9, sql: COUNT })).toEqual({
      position: 9,
      rows: [{ n: 3 }],
      stopped: [{ projection: 'run-logs', position: 5, eventId: fifth?.id, error: 'This cannot be shown.' }]
    })
    expect(await history.stateAt({ position: 9, sql: 'SELECT id FROM runs' })).toMatchObject({ stopped: [] })
  })
})
