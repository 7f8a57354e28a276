import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { workflowAggregate } from '../../workflow/workflow/workflow.ts'
import { createAggregateStore } from '../aggregate-store.ts'
import { dumpRows, happen, happenings, type Dump } from '../contract/random-history.ts'
import { createEventLog } from '../event-log.ts'
import { systemWorld } from '../world.ts'
import { createDirectWrites } from './direct-writes.ts'
import { createHistory } from './past.ts'
import { startProjections } from './projections.ts'
import { headOf } from './replay.ts'

const never = (): Promise<void> => new Promise(() => undefined)

const open = async () => {
  const context = await openDbContext({ storage: 'memory', ...systemWorld })
  const log = createEventLog(context, ALL_PROJECTIONS)
  return {
    context,
    store: createAggregateStore(context, log),
    directWrites: createDirectWrites(ALL_PROJECTIONS, systemWorld.now)
  }
}

const rowsNow = (context: DbContext): Promise<Dump> =>
  dumpRows((sql) => context.projectionStore.query({ sql }))

const lastWrite = async (context: DbContext): Promise<{ id: number; place: number }> => {
  const sql = 'SELECT id, after_position FROM direct_writes ORDER BY id DESC LIMIT 1'
  const [row] = await context.projectionStore.query({ sql })
  return { id: Number(row?.['id'] ?? 0), place: Number(row?.['after_position'] ?? 0) }
}

test('for any history: rows that followed, rows rebuilt and rows as they were are the same', async () => {
  await fc.assert(
    fc.asyncProperty(happenings, async (history) => {
      const parts = await open()
      const { context, store } = parts
      const projections = await startProjections({
        context,
        definitions: ALL_PROJECTIONS,
        world: systemWorld,
        wait: () => Promise.resolve()
      })
      await store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
      await store.execute(workflowAggregate, 'workflow:v', { type: 'CreateWorkflow', name: 'V' })
      /** What was seen, by the position at which it was; what a caller wrote there later is part of it, too. */
      const seen = new Map<number, Dump>()
      for (const each of history) {
        const before = await lastWrite(context)
        // What does not fit the state is refused, and so changes nothing.
        await happen(parts, each).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'FlowForgeError' })
          expect(error).not.toMatchObject({ code: 'INTERNAL' })
        })
        const { id, place } = await lastWrite(context)
        if (id !== before.id) {
          for (const position of seen.keys()) if (position >= place) seen.delete(position)
        }
        if (each.what === 'look') {
          await projections.settled()
          seen.set(await headOf(context), await rowsNow(context))
        }
      }
      await projections.settled()
      const followed = await rowsNow(context)

      await projections.rebuild()
      expect(await rowsNow(context)).toEqual(followed)
      for (const { name } of ALL_PROJECTIONS) await projections.rebuild(name)
      expect(await rowsNow(context)).toEqual(followed)

      const past = createHistory({ context, definitions: ALL_PROJECTIONS, wait: never })
      const rowsAt = (position: number): Promise<Dump> =>
        dumpRows(async (sql) => (await past.stateAt({ position, sql })).rows)
      for (const [position, rows] of [...seen].toReversed()) expect(await rowsAt(position)).toEqual(rows)
      for (const [position, rows] of seen) expect(await rowsAt(position)).toEqual(rows)
      expect(await rowsAt(Number.MAX_SAFE_INTEGER)).toEqual(followed)

      expect(await projections.list()).toEqual(
        ALL_PROJECTIONS.map(({ name }) => expect.objectContaining({ name, state: 'running', lag: 0 }))
      )
      await past.forget()
      await projections.stop()
      await context.close()
    }),
    { numRuns: 60 }
  )
}, 120_000)
