import type { NewEvent } from '../../src/db/ports.ts'
import { createRandom } from '../random.ts'
import type { Bundle } from './bundle.ts'
import { createDisk } from './disk.ts'
import { startLife } from './life.ts'
import { createScheduler } from './scheduler.ts'

const EVENT: NewEvent = { id: 'sent-twice', aggregateId: 'a:1', eventType: 'Told', payload: {} }
const WORLD = { now: () => '2026-01-01T00:00:00.000Z', newId: () => 'never' }

/**
 * A program is killed over an append, at its `count`th operation on files; the next one is sent the same event, answers,
 * and is killed too; then the power fails and takes whatever was not flushed. Answers whether the event was acknowledged
 * and is gone.
 */
const isLost = async (bundle: Bundle, count: number): Promise<boolean> => {
  const random = createRandom(count)
  const right = { fullAs: 'exception', fullChance: 0, failedFlushChance: 0, lostFlushChance: 0 } as const
  const disk = createDisk({ ...right, sector: 512, garbles: false }, random.fork())
  const locks = { held: new Set<never>(), left: new Set<never>(), lingering: 0 }

  const live = async (work: (context: Awaited<ReturnType<typeof open>>, life: Life) => Promise<boolean>) => {
    const scheduler = createScheduler()
    const life = startLife({ bundle, disk, locks, scheduler, random: random.fork() })
    const working = open(life).then((context) => work(context, life))
    const answer = await scheduler.run(Promise.race([working, life.killer.death.then(() => false)]))
    life.killer.kill()
    locks.held.clear()
    return answer
  }
  const open = ({ program }: Life) => program.openDbContext({ storage: 'opfs', ...WORLD })

  await live(async (context) => {
    await context.close()
    return true
  })
  await live(async (context, { killer }) => {
    killer.killAfter(count)
    await context.eventStore.append(EVENT)
    return true
  })
  const isAnswered = await live(async (context) => {
    await context.eventStore.append(EVENT)
    return true
  })
  disk.fail()
  const isThere = await live(
    async (context) => (await context.eventStore.load({ aggregateId: EVENT.aggregateId })).length === 1
  )
  return isAnswered && !isThere
}
type Life = ReturnType<typeof startLife>

/** How often an event was lost that a program found in the WAL and acknowledged, over kills at each of so many operations. */
export const countLostResends = async (bundle: Bundle, operations = 30): Promise<number> => {
  let lost = 0
  for (let count = 1; count <= operations; count += 1) if (await isLost(bundle, count)) lost += 1
  return lost
}
