import { MIGRATIONS } from '../migrations/migrations.ts'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { describeBlobStore } from '../contract/blob-store-contract.ts'
import { describeConcurrentAppends } from '../contract/concurrent-appends-contract.ts'
import { describeEventStore } from '../contract/event-store-contract.ts'
import { startOpfsWorker, type OpfsWorker } from '../contract/opfs-client.ts'
import { describeProjectionStore } from '../contract/projection-store-contract.ts'
import { workflowRow } from '../contract/store-contract.ts'

let count = 0
const freshDirectory = (): string => `test-${Date.now()}-${count++}`

const shared = startOpfsWorker()
afterAll(() => shared.end())
const open = () => shared.open(freshDirectory())

describeEventStore('SQLite in OPFS', open)
describeConcurrentAppends('SQLite in OPFS', open, 8)
describeProjectionStore('SQLite in OPFS', open)
describeBlobStore('SQLite in OPFS', open)

describe('SQLite in OPFS: what lasts', () => {
  const workers: OpfsWorker[] = []
  const start = (): OpfsWorker => {
    const worker = startOpfsWorker()
    workers.push(worker)
    return worker
  }
  afterEach(() => {
    for (const worker of workers.splice(0)) worker.end()
  })

  test('everything is there when it is opened again', async () => {
    const directory = freshDirectory()
    const first = await start().open(directory)
    const event = await first.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: { value: 1 } })
    await first.projectionStore.upsert({ table: 'workflows', rows: [workflowRow('w1')] })
    await first.blobStore.put({ key: 'large', data: new Uint8Array(200_000).fill(7) })
    await first.close()
    const second = await start().open(directory)
    expect(await second.eventStore.load({ aggregateId: 'a:1' })).toEqual([event])
    expect((await second.projectionStore.query({ sql: 'SELECT id FROM workflows' })).length).toBe(1)
    expect((await second.blobStore.get({ key: 'large' }))?.data).toEqual(new Uint8Array(200_000).fill(7))
    expect(await second.facts()).toEqual({
      storage: 'opfs',
      schemaVersion: MIGRATIONS.at(-1)?.version,
      logPosition: 1
    })
    await second.close()
  })

  test('what was answered outlives a worker that is killed', async () => {
    const directory = freshDirectory()
    const killed = start()
    const context = await killed.open(directory)
    const appends = Array.from({ length: 40 }, (_, index) =>
      context.eventStore.append({
        aggregateId: 'a:1',
        eventType: 'X',
        payload: { index },
        id: `event-${index}`
      })
    )
    const answered = await Promise.all(appends.slice(0, 20))
    killed.end()
    const again = await start().open(directory)
    const events = await again.eventStore.load({ aggregateId: 'a:1' })
    expect(events.slice(0, 20)).toEqual(answered)
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1))
    expect(await again.projectionStore.query({ sql: 'PRAGMA integrity_check' })).toEqual([
      { integrity_check: 'ok' }
    ])
    await again.close()
  })

  test('a second opener is told why, and harms nothing', async () => {
    const directory = freshDirectory()
    const first = await start().open(directory)
    await first.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
    await expect(start().open(directory)).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('open elsewhere')
    })
    await first.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
    await first.close()
    const second = await start().open(directory)
    expect(await second.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(2)
    await second.close()
  })
})
