import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createApp, defineComponent, h, nextTick, ref, type Ref } from 'vue'
import { flowForgeInputs, type Boot } from '../worker/api.ts'
import { useLiveQuery, type LiveQuery } from './useLiveQuery.ts'
import { provideWorkerClient } from './useWorkerClient.ts'
import { createWorkerClient, type WorkerClient } from './worker-client.ts'
import { onPageSleep } from './worker-client/page-sleep.ts'

type Options = Omit<NonNullable<Parameters<typeof createWorkerClient>[1]>, 'onSleep'>
type Sleep = { readonly sleep: () => void; readonly wake: () => void }

/** A client over the test's worker, and the hand that puts its page to sleep. */
const startIn = (
  name = '',
  options: Options = {}
): { client: WorkerClient; page: Sleep; workers: Worker[] } => {
  let page: Sleep | undefined
  const workers: Worker[] = []
  const client = createWorkerClient(
    () => {
      const worker = new Worker(new URL('./worker-client.test-worker.ts', import.meta.url), {
        type: 'module',
        name
      })
      workers.push(worker)
      return worker
    },
    { onSleep: (hears) => (page = hears), ...options }
  )
  if (page === undefined) throw new Error('the client does not hear of its page')
  onTestFinished(page.sleep)
  return { client, page, workers }
}
const start = (): WorkerClient => startIn().client

type Recorded = { id?: string; what: string; wasSent?: boolean; afterPosition?: number }
/** Everything that is sent to whichever worker, in order. */
const recordCalls = (): Recorded[] => {
  const recorded: Recorded[] = []
  const channel = new BroadcastChannel('worker-client-test')
  channel.onmessage = ({ data }: MessageEvent<Recorded>) => recorded.push(data)
  onTestFinished(() => channel.close())
  return recorded
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

  it('brings files and bytes as they were given, also to the worker after the one that died', async () => {
    const { db } = start()
    await expect(db.putBlob({ key: 'a', data: new Blob(['x']) })).rejects.toMatchObject({
      message: 'a Blob: x'
    })
    const bytes = new Uint8Array([1, 2])
    const put = expect(db.putBlob({ key: 'a', data: bytes })).rejects.toMatchObject({ message: 'bytes: 1,2' })
    bytes.fill(0)
    await put
  })

  it('says what cannot be handed on', async () => {
    const { db } = start()
    await expect(db.queryProjection({ sql: 'x', params: [() => 1] })).rejects.toMatchObject({
      code: 'INVALID_INPUT'
    })
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

  it('has no deadline while its page sleeps, and is not sent again once that has passed', async () => {
    const recorded = recordCalls()
    const { client, page } = startIn()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const asked = client.db.queryProjection({ sql: 'SELECT 1' })
    const passed = expect(client.db.queryProjection({ sql: 'never' })).rejects.toMatchObject({
      code: 'TIMEOUT'
    })
    page.sleep()
    await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1_000)
    page.wake()
    expect(await asked).toEqual([{ sql: 'SELECT 1' }])
    await vi.advanceTimersByTimeAsync(60_000)
    await passed
    vi.useRealTimers()
    await client.db.queryProjection({ sql: 'before' })
    await eventually(() => expect(recorded.at(-1)).toMatchObject({ what: 'before' }))
    page.sleep()
    page.wake()
    await client.db.queryProjection({ sql: 'after' })
    await eventually(() => expect(recorded.at(-1)).toMatchObject({ what: 'after' }))
    const last = recorded.findIndex(({ what }) => what === 'before')
    expect(recorded.slice(last + 1).map(({ what }) => what)).toEqual(['after'])
  })

  it('can be found by name in the console', () => {
    const { db, flowforge } = start()
    expect(Object.keys(db)).toContain('appendEvent')
    expect(Object.keys(flowforge).toSorted()).toEqual([...Object.keys(flowForgeInputs), 'status'].toSorted())
    expect(Object.keys(flowforge.backup)).toContain('restore')
  })
})

describe('a worker that dies', () => {
  it.each(['crash', 'close'])(
    'is replaced after a %s, and what is unanswered goes on in order',
    async (how) => {
      const recorded = recordCalls()
      const { client, workers } = startIn()
      const boots: string[] = []
      client.onBoot(({ state }) => boots.push(state))
      const sqls = ['waits first', 'waits second', `once ${how}`, 'waits last']
      const answers = await Promise.all(sqls.map((sql) => client.db.queryProjection({ sql })))
      expect(answers).toEqual(sqls.map((sql) => [{ sql }]))
      expect(workers).toHaveLength(2)
      await eventually(() => expect(boots.at(-1)).toBe('ready'))
      await eventually(() => expect(recorded.at(-1)).toMatchObject({ what: sqls.at(-1), wasSent: true }))
      const first = recorded.filter(({ wasSent }) => wasSent === false)
      const again = recorded.filter(({ wasSent }) => wasSent === true)
      expect(again.map(({ what }) => what)).toEqual(sqls)
      const idOf = (sql: string) => again.find(({ what }) => what === sql)?.id
      // What had not been read when the worker died is not among the first.
      expect(first.map(({ id }) => id)).toEqual(first.map(({ what }) => idOf(what)))
      expect(first.length).toBeGreaterThanOrEqual(3)
    }
  )

  it('does not tell a listener again that has thrown', async () => {
    const { client } = startIn()
    const reported = vi.fn((event: ErrorEvent) => event.preventDefault())
    addEventListener('error', reported)
    onTestFinished(() => removeEventListener('error', reported))
    let told = 0
    client.db.subscribe({ afterPosition: 0 }, () => {
      told += 1
      throw new Error('no more of it')
    })
    await eventually(() => expect(reported).toHaveBeenCalledOnce())
    await client.db.queryProjection({ sql: 'once crash' })
    await client.db.queryProjection({ sql: 'SELECT 1' })
    expect(told).toBe(1)
  })

  it.each([
    ['of each that it is given', '', 10],
    ['before any was ready', 'broken', 3]
  ])('is not replaced for ever when it dies %s', async (_when, name, count) => {
    const { client, workers } = startIn(name)
    const boots: Boot[] = []
    client.onBoot((boot) => boots.push(boot))
    const hanging = expect(client.flowforge.runs.wait({ runId: 'run:1' })).rejects.toMatchObject({
      code: 'WORKER_LOST'
    })
    await expect(client.db.queryProjection({ sql: 'always crash' })).rejects.toMatchObject({
      code: 'WORKER_LOST'
    })
    await hanging
    await expect(client.db.queryProjection({ sql: 'SELECT 1' })).rejects.toMatchObject({
      code: 'WORKER_LOST'
    })
    expect(boots.at(-1)).toMatchObject({ state: 'failed', code: 'WORKER_LOST' })
    expect(workers).toHaveLength(count)
  })
})

describe('a worker that does not answer', () => {
  const HANG_FOR_EVER = 60_000

  it('is said to be stuck, and to be ready when it answers again', async () => {
    const { client, workers } = startIn('', { pulseMs: 50 })
    const boots: string[] = []
    client.onBoot(({ state }) => boots.push(state))
    await client.db.queryProjection({ sql: 'SELECT 1' })
    expect(await client.db.queryProjection({ sql: 'hang 1000' })).toEqual([{ sql: 'hang 1000' }])
    await eventually(() => expect(boots.slice(-2)).toEqual(['stuck', 'ready']))
    expect(workers).toHaveLength(1)
  })

  it('is replaced when a person asks for it, also in another tab, and what is unanswered goes on', async () => {
    const { client, workers } = startIn('', { pulseMs: 50 })
    const another = startIn()
    const boots: string[] = []
    client.onBoot(({ state }) => boots.push(state))
    await Promise.all([client, another.client].map(({ db }) => db.queryProjection({ sql: 'SELECT 1' })))
    const sql = `hang ${HANG_FOR_EVER}`
    const hung = client.db.queryProjection({ sql })
    await eventually(() => expect(boots.at(-1)).toBe('stuck'))
    another.client.revive()
    expect(await hung).toEqual([{ sql }])
    expect(boots.at(-1)).toBe('ready')
    expect(workers).toHaveLength(2)
    // Its own worker answers, and stays.
    expect(another.workers).toHaveLength(1)
  })

  it('and was ended before it could be spoken to is replaced, and what was asked is asked of the next', async () => {
    const { client, workers } = startIn('', { unheardMs: 500 })
    const answer = client.db.queryProjection({ sql: 'SELECT 1' })
    workers[0]?.terminate()
    expect(await answer).toEqual([{ sql: 'SELECT 1' }])
    expect(workers).toHaveLength(2)
  })

  it('and starts slowly is given more time each time, and never given up', async () => {
    const { client, workers } = startIn('unheard', { unheardMs: 20 })
    const boots: string[] = []
    client.onBoot(({ state }) => boots.push(state))
    const started = performance.now()
    await eventually(() => expect(workers).toHaveLength(5))
    expect(performance.now() - started).toBeGreaterThan(20 + 40 + 80 + 160 - 20)
    expect(boots).not.toContain('failed')
  })
})

describe('a page that sleeps', () => {
  it('has no worker, and goes on where it was when it wakes', async () => {
    const recorded = recordCalls()
    const { client, page, workers } = startIn()
    const seen: number[] = []
    client.db.subscribe({}, ({ position }) => seen.push(position))
    await eventually(() => expect(seen).toEqual([11]))
    page.sleep()
    page.sleep()
    const answer = client.db.queryProjection({ sql: 'asked asleep' })
    // The lock of its worker is free: nothing of it goes on.
    await eventually(async () => {
      const { held = [] } = await navigator.locks.query()
      expect(held.filter(({ name }) => name?.startsWith('flowforge-worker-'))).toEqual([])
    })
    expect(recorded.some(({ what }) => what === 'asked asleep')).toBe(false)
    page.wake()
    page.wake()
    expect(await answer).toEqual([{ sql: 'asked asleep' }])
    await eventually(() => expect(seen).toEqual([11, 12]))
    expect(workers).toHaveLength(2)
  })

  it('hears of it from the browser', () => {
    const told: string[] = []
    onPageSleep({ sleep: () => told.push('sleep'), wake: () => told.push('wake') })
    document.dispatchEvent(new Event('freeze'))
    document.dispatchEvent(new Event('resume'))
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false }))
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    expect(told).toEqual(['sleep', 'wake', 'sleep', 'wake'])
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
    await expect(client.db.queryProjection({ sql: 'always crash' })).rejects.toMatchObject({
      code: 'WORKER_LOST'
    })
    sql.value = 'fine'
    await eventually(() => expect(query.error.value?.code).toBe('WORKER_LOST'))
  })
})
