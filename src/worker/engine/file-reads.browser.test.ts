import { afterAll, expect, test } from 'vitest'
import { createSessions } from './sessions.ts'

const sessions = createSessions()
afterAll(() => sessions.close())

test('tells what is read of a file while a query that has no rows yet goes on', async () => {
  const line = `${'x'.repeat(99)}\n`
  const file = new Blob(Array.from({ length: 200 }, () => line.repeat(10_000)))
  await sessions.work({}, async ({ session, instance }) => {
    const told: number[] = []
    const query = async (): Promise<void> => {
      const path = await session.registerFile(file)
      await session.run(
        `SELECT count(DISTINCT x) FROM read_csv('${path}', auto_detect = false, header = false, columns = {x: 'VARCHAR'})`
      )
    }
    const end = instance.reads.follow((bytes) => void told.push(bytes))
    await query()
    end()
    const heard = told.length
    // Once a file has been read whole, the next reading counts from nothing.
    const again: number[] = []
    const endAgain = instance.reads.follow((bytes) => void again.push(bytes))
    await query()
    endAgain()
    expect(heard).toBeGreaterThan(1)
    expect(told).toEqual(told.toSorted((left, right) => left - right))
    expect(told.at(-1)).toBeGreaterThan(file.size / 4)
    expect(told).toHaveLength(heard)
    expect(again[0]).toBeLessThan(file.size)
  })
})
