import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createApp, defineComponent, h, nextTick, ref, type Ref } from 'vue'
import type { Boot } from '../worker/api.ts'
import { useLiveQuery, type LiveQuery } from './useLiveQuery.ts'
import { provideWorkerClient } from './useWorkerClient.ts'
import { createWorkerClient, type WorkerClient } from './worker-client.ts'

const start = (): WorkerClient => {
  const worker = new Worker(new URL('./worker-client.test-worker.ts', import.meta.url), { type: 'module' })
  onTestFinished(() => worker.terminate())
  return createWorkerClient(worker)
}
/** A worker may take its time to start on a machine that has other things to do. */
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 15_000, interval: 20 })
afterEach(() => {
  vi.useRealTimers()
})

describe('a call', () => {
  it('fails with the code and the details that the worker gave', async () => {
    const { db } = start()
    await expect(db.queryProjection({ sql: 'refused' })).rejects.toMatchObject({
      name: 'FlowForgeError',
      code: 'NOT_ALLOWED',
      message: 'Writes are refused.',
      details: { table: 'events' }
    })
  })

  it('brings files and bytes as they are', async () => {
    const { db } = start()
    await expect(db.putBlob({ key: 'a', data: new Blob(['x']) })).rejects.toMatchObject({ message: 'a Blob' })
    await expect(db.putBlob({ key: 'a', data: new Uint8Array(1) })).rejects.toMatchObject({
      message: 'bytes'
    })
  })

  it('ends with the worker, and so does every later one', async () => {
    const client = start()
    const boots: Boot[] = []
    client.onBoot((boot) => boots.push(boot))
    await eventually(() => expect(boots).toEqual([{ state: 'ready' }]))
    const hanging = expect(client.flowforge.runs.wait({ runId: 'run:1' })).rejects.toMatchObject({
      code: 'WORKER_LOST'
    })
    await expect(client.db.queryProjection({ sql: 'crash' })).rejects.toMatchObject({ code: 'WORKER_LOST' })
    await hanging
    await expect(client.db.queryProjection({ sql: 'SELECT 1' })).rejects.toMatchObject({
      code: 'WORKER_LOST'
    })
    expect(boots.at(-1)).toMatchObject({ state: 'failed', code: 'WORKER_LOST' })
  })

  it('does not wait for ever, unless it is one that may', async () => {
    const client = start()
    vi.useFakeTimers()
    let waiting = 'waiting'
    client.flowforge.runs.wait({ runId: 'run:1' }).catch(() => (waiting = 'given up'))
    const slow = expect(client.db.queryProjection({ sql: 'never' })).rejects.toMatchObject({
      code: 'TIMEOUT'
    })
    await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1_000)
    await slow
    expect(waiting).toBe('waiting')
  })

  it('can be found by name in the console', () => {
    const { db, flowforge } = start()
    expect(Object.keys(db)).toContain('appendEvent')
    expect(Object.keys(flowforge)).toEqual([
      'sources',
      'workflows',
      'runs',
      'artifacts',
      'examples',
      'status'
    ])
  })
})

/** A component that follows a query, as a screen does. */
const mount = (sql: Ref<string>, param: Ref<unknown>, read?: (row: Record<string, unknown>) => unknown) => {
  const client = start()
  let query: LiveQuery<unknown> | undefined
  const app = createApp(
    defineComponent({
      setup: () => {
        query = read === undefined ? useLiveQuery(sql, [param]) : useLiveQuery(sql, [param], read)
        return () => h('p')
      }
    })
  )
  provideWorkerClient(app, client)
  app.mount(document.createElement('div'))
  if (query === undefined) throw new Error('the component was not set up')
  const followed = async () => (await client.db.queryProjection({ sql: 'followed' })).map((row) => row['sql'])
  return { client, query, followed, unmount: () => app.unmount() }
}

describe('a live query', () => {
  it('has rows when the worker answers, and again after a commit', async () => {
    const { client, query } = mount(ref('SELECT ?'), ref(7))
    expect(query.isLoading.value).toBe(true)
    await eventually(() => expect(query.rows.value).toEqual([{ sql: 'SELECT ?', params: [7] }]))
    expect(query.isLoading.value).toBe(false)
    await client.db.queryProjection({ sql: 'commit' })
    await eventually(() => expect(query.rows.value).toEqual([{ sql: 'SELECT ?', after: 'commit' }]))
  })

  it('follows what it is asked, and forgets what it was', async () => {
    const sql = ref('one')
    const param = ref<unknown>(1)
    const { query, followed } = mount(sql, param)
    await eventually(() => expect(query.rows.value).toEqual([{ sql: 'one', params: [1] }]))
    param.value = 2
    await eventually(() => expect(query.rows.value).toEqual([{ sql: 'one', params: [2] }]))
    sql.value = 'two'
    await eventually(() => expect(query.rows.value).toEqual([{ sql: 'two', params: [2] }]))
    await eventually(async () => expect(await followed()).toEqual(['two']))
  })

  it('ends with its component, even before it was answered', async () => {
    const first = mount(ref('one'), ref(null))
    await eventually(() => expect(first.query.isLoading.value).toBe(false))
    first.unmount()
    await eventually(async () => expect(await first.followed()).toEqual([]))

    const early = mount(ref('one'), ref(null))
    early.unmount()
    await eventually(async () => expect(await early.followed()).toEqual([]))
    await nextTick()
    expect(early.query.rows.value).toEqual([])
  })

  it('says what is wrong with the query, with a row, with the worker', async () => {
    const sql = ref('wrong')
    const refuse = (row: Record<string, unknown>) => {
      if (row['sql'] === 'odd') throw new Error('sql is odd')
      return row
    }
    const { client, query } = mount(sql, ref(null), refuse)
    await eventually(() =>
      expect(query.error.value).toEqual({ code: 'INVALID_INPUT', message: 'no such table' })
    )
    sql.value = 'fine'
    await eventually(() => expect(query.error.value).toBeNull())
    sql.value = 'odd'
    await eventually(() => expect(query.error.value?.code).toBe('CORRUPT'))
    await expect(client.db.queryProjection({ sql: 'crash' })).rejects.toMatchObject({ code: 'WORKER_LOST' })
    sql.value = 'fine'
    await eventually(() => expect(query.error.value?.code).toBe('WORKER_LOST'))
  })
})
