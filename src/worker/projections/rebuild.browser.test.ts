import { wrap } from 'comlink'
import { afterEach, expect, test } from 'vitest'
import type { RebuildWorkerApi } from '../contract/rebuild-worker.ts'

const workers: Worker[] = []
const start = () => {
  const worker = new Worker(new URL('../contract/rebuild-worker.ts', import.meta.url), { type: 'module' })
  workers.push(worker)
  return { api: wrap<RebuildWorkerApi>(worker), kill: () => worker.terminate() }
}
afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate()
})

const LOGS = `SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(CAST(message AS INTEGER)) AS sum FROM run_logs`
const COUNT = 9_999

test('over OPFS: a rebuild that the worker’s death cuts off goes on in the next one, and is swapped in', async () => {
  const directory = `rebuild-${Date.now()}`
  const first = start()
  await first.api.open(directory, 1)
  await first.api.log('run:r', COUNT)
  await first.api.settled()
  const before = await first.api.query(LOGS)
  expect(before).toEqual([{ n: COUNT, ids: COUNT, sum: (COUNT * (COUNT - 1)) / 2 }])
  await first.api.close()

  const second = start()
  await second.api.open(directory, 2)
  const progress = async () =>
    (await second.api.list()).find(({ name }) => name === 'run-logs')?.progress ?? null
  let reached = await progress()
  while (reached !== null && reached.position === 0) reached = await progress()
  expect(reached).toMatchObject({ version: 2, head: COUNT + 1 })
  expect(await second.api.query(LOGS)).toEqual(before)
  second.kill()

  const third = start()
  await third.api.open(directory, 2)
  const [left] = await third.api.query(
    `SELECT rebuild_position AS position FROM projection_states WHERE projection = 'run-logs'`
  )
  expect(Number(left?.['position'])).toBeGreaterThanOrEqual(reached?.position ?? 0)
  await third.api.log('run:s', 10)
  await third.api.settled()
  expect(await third.api.query(LOGS)).toEqual([
    { n: COUNT + 10, ids: COUNT + 10, sum: (COUNT * (COUNT - 1)) / 2 + 45 }
  ])
  expect((await third.api.list()).find(({ name }) => name === 'run-logs')).toMatchObject({
    state: 'running',
    version: 2,
    progress: null
  })
  expect(await third.api.query(`SELECT name FROM sqlite_schema WHERE name LIKE '%__next'`)).toEqual([])
  await third.api.close()
})
