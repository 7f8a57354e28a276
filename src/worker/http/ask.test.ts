import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import type { PlannedRequests } from '../../workflow/plan-types.ts'
import { badStatus } from '../../workflow/http/failure.ts'
import type { RequestPlan } from '../../workflow/http/request.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { createAggregateStore } from '../aggregate-store.ts'
import { createDeferred } from '../deferred.ts'
import { createEventLog } from '../event-log.ts'
import { createRequestHandlers } from '../request-handlers.ts'
import type { AnswerRow, AskedRow } from '../engine/ask-service.ts'
import { createAsking } from './asking.ts'
import { startTestService, type Behaviour, type TestService } from './contract/test-service.ts'
import { systemNet, type Net } from './net.ts'

let ids = 0
const world = { now: () => new Date().toISOString(), newId: () => `id-${(ids += 1)}` }
const STEP = 'run:1/ask'

let context: DbContext
let service: TestService
beforeEach(async () => {
  context = await openDbContext({ storage: 'memory', ...world })
  const { projectionStore } = context
  for (const run of ['run:1', 'run:2', 'run:3']) {
    await projectionStore.upsert({
      table: 'runs',
      rows: [
        { id: run, workflow_version_id: 'w@1', trigger: 'manual', status: 'running', created_at: world.now() }
      ]
    })
    await projectionStore.upsert({
      table: 'run_steps',
      rows: [{ id: `${run}/ask`, run_id: run, node_id: 'n', status: 'running' }]
    })
  }
})
afterEach(async () => {
  await service.close()
  await context.close()
})

const person: Behaviour = ({ url }) => ({
  body: JSON.stringify({ id: url.split('/').at(-1), name: `N${url}` })
})

const planFor = (change: Partial<RequestPlan> = {}): PlannedRequests => ({
  from: 'ask._requests',
  values: [{ name: 'id', type: 'text' }],
  plan: {
    method: 'GET',
    endpoint: service.url,
    path: '/people/{{id}}',
    headers: {},
    template: null,
    columns: [{ name: 'name', pointer: '/name', type: 'text' }],
    explode: null,
    format: null,
    concurrency: 4,
    timeoutMs: 5_000,
    retry: { times: 3, backoffMs: 1 },
    idempotencyKey: null,
    onError: 'fail',
    ...change
  }
})

const rowsOf = (ids_: readonly string[]): AskedRow[] =>
  ids_.map((id) => ({ key: id, values: new Map([['id', { text: id, type: 'text' }]]) }))
const batches = async function* (rows: readonly AskedRow[], size: number) {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size)
}
const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => String(at + 1))

const net: Net = {
  ...systemNet,
  random: () => 0,
  surroundings: async () => ({ online: true, secure: false, pageIsLocal: true, localPermission: null })
}

type Asked = { rows: AnswerRow[]; logs: string[] }
const ask = async (
  wanted: readonly string[],
  change: Partial<RequestPlan> = {},
  options: {
    runId?: string
    recordedIn?: string
    answersOf?: string
    signal?: AbortSignal
    ending?: AbortSignal
    net?: Net
  } = {}
): Promise<Asked> => {
  const logs: string[] = []
  const askFor = createAsking({ context, world, net: options.net ?? net })
  const sender = askFor({
    runId: options.runId ?? 'run:1',
    workflowId: 'workflow:w',
    recordedIn: options.recordedIn ?? null,
    answersOf: options.answersOf,
    log: async ({ message }) => void logs.push(message)
  })
  const rows: AnswerRow[] = []
  const signal = options.signal ?? new AbortController().signal
  const requests = planFor(change)
  const source = batches(rowsOf(wanted), 50)
  for await (const answers of sender({
    nodeId: 'ask',
    requests,
    rows: source,
    signal,
    ending: options.ending,
    onAnswered: () => undefined
  })) {
    for (const answer of answers) rows.push(answer)
  }
  return { rows, logs }
}
const executions = () =>
  context.projectionStore.query({ sql: 'SELECT * FROM request_executions ORDER BY ts, id' })
const states = async () => {
  const sql = `SELECT result_json ->> '$.state' AS state, count(*) AS n FROM idempotency_keys WHERE scope = 'http' GROUP BY 1`
  const rows = await context.projectionStore.query({ sql })
  return Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]))
}
const valuesOf = ({ rows }: Asked) =>
  Object.fromEntries(rows.map(({ key, values, error }) => [key, error ?? values[0]]))

describe('asking for rows', () => {
  it('sends one request each, and keeps each with its answer', async () => {
    service = await startTestService(person)
    const asked = await ask(numbers(120), { headers: { Authorization: 'Bearer hunter2', 'X-Id': 'p{{id}}' } })
    expect(Object.keys(valuesOf(asked))).toHaveLength(120)
    expect(valuesOf(asked)['7']).toBe('N/people/7')
    expect(service.seen).toHaveLength(120)
    expect(service.seen[0]?.headers.authorization).toBe('Bearer hunter2')
    const kept = await executions()
    expect(kept).toHaveLength(120)
    expect(JSON.stringify(kept)).not.toContain('hunter2')
    expect(JSON.parse(String(kept[0]?.['request_json']))).toMatchObject({
      method: 'GET',
      headers: { Authorization: '***' }
    })
    const response = JSON.parse(String(kept[0]?.['response_json'])) as { blob: string }
    expect(await context.blobStore.get({ key: response.blob })).not.toBeNull()
    expect(kept.every((row) => row['status_code'] === 200 && Number(row['duration_ms']) >= 0)).toBe(true)
    expect(await states()).toEqual({ confirmed: 120 })
    expect(asked.logs).toEqual(['120 requests sent, 120 answered.'])
  })

  it('has no more under way than it may, and as many', async () => {
    let now = 0
    let most = 0
    const full = createDeferred<void>()
    service = await startTestService(async (seen, nth) => {
      now += 1
      most = Math.max(most, now)
      if (now === 7) full.resolve()
      await full.promise
      await new Promise((resolve) => setTimeout(resolve, 5))
      now -= 1
      return person(seen, nth)
    })
    await ask(numbers(40), { concurrency: 7 })
    expect(most).toBe(7)
  })

  it('keeps the gap between requests that the rate asks for', async () => {
    const waits: number[] = []
    let time = 0
    service = await startTestService(person)
    const slow: Net = {
      ...net,
      clock: () => time,
      wait: async (ms) => {
        waits.push(ms)
        time += ms
      }
    }
    await ask(numbers(5), { ratePerSecond: 2, concurrency: 1 }, { net: slow })
    expect(waits).toEqual([0, 500, 500, 500, 500])
  })

  it('tries again after 500, dropped connections and 429, as late as the service asks', async () => {
    service = await startTestService((seen, nth) => {
      const id = Number(seen.url.split('/').at(-1))
      if (nth === 1 && id % 3 === 0) return { status: 500 }
      if (nth === 1 && id % 3 === 1) return 'drop'
      if (nth === 1) return { status: 429, headers: { 'retry-after': '7' } }
      return person(seen, nth)
    })
    const waits: number[] = []
    const patient: Net = { ...net, wait: async (ms) => void waits.push(ms) }
    const asked = await ask(numbers(9), { concurrency: 1 }, { net: patient })
    expect(Object.values(valuesOf(asked)).every((name) => name?.startsWith('N/people/'))).toBe(true)
    expect([...service.served().values()]).toEqual(Array.from({ length: 9 }, () => 1))
    expect(waits.filter((ms) => ms >= 7_000).length).toBeGreaterThanOrEqual(3)
    expect(await executions()).toHaveLength(18)
    expect(asked.logs).toEqual(['18 requests sent, 9 of them again, 9 answered.'])
  })

  it.each([
    ['status', (() => ({ status: 404 })) as Behaviour, 'status 404'],
    ['timeout', (() => 'hang') as Behaviour, 'did not answer within'],
    ['unreadable', (() => ({ body: '<html>' })) as Behaviour, 'not valid JSON']
  ])('rejects, keeps or fails with what to do: %s', async (kind, behaviour, words) => {
    service = await startTestService(behaviour)
    const quick = { timeoutMs: 60, retry: { times: 0, backoffMs: 1 } }
    const asked = await ask(['1'], { ...quick, onError: 'reject' })
    expect(asked.rows).toHaveLength(1)
    expect(asked.rows[0]?.error).toContain(words)
    const [row] = await executions()
    expect(JSON.parse(String(row?.['response_json']))).toMatchObject({ error: { kind } })
    await expect(ask(['2'], quick)).rejects.toMatchObject({
      message: expect.stringContaining(words) as string,
      details: { reason: 'request-failed', nodeId: 'ask' }
    })
  })

  it('tells a service that nobody hears from one that may not be read', async () => {
    service = await startTestService(person)
    const dead = await startTestService(person)
    await dead.close()
    const quick = { retry: { times: 0, backoffMs: 1 }, onError: 'reject' } as const
    const gone = await ask(['1'], { ...quick, endpoint: dead.url })
    expect(gone.rows[0]?.error).toContain('did not answer')
    // What a browser does where the answer may not be read: it fails, and answers blindly.
    const cors: Net = {
      ...net,
      fetch: (url, init) =>
        init.mode === 'no-cors' ? fetch(url, init) : Promise.reject(new TypeError('Failed to fetch'))
    }
    const blocked = await ask(['2', '3'], quick, { net: cors })
    expect(blocked.rows[0]?.error).toContain('CORS')
    expect(service.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['HEAD /'])
  })

  it('leaves a row out of which no request can be made, with the reason', async () => {
    service = await startTestService(person)
    const asked = await ask(['1', '..'], { onError: 'reject' })
    expect(asked.rows.find(({ key }) => key === '..')?.error).toContain('cannot be a part of an address')
    expect(service.seen).toHaveLength(1)
  })

  it('stops within a moment when it is canceled', async () => {
    service = await startTestService(() => 'hang')
    const abortion = new AbortController()
    const asking = ask(numbers(10), {}, { signal: abortion.signal })
    asking.catch(() => undefined)
    await expect.poll(() => service.seen.length).toBe(4)
    abortion.abort()
    await expect(asking).rejects.toMatchObject({ code: 'CANCELED' })
    expect(service.seen).toHaveLength(4)
  })
})

describe('a run that fails elsewhere', () => {
  const statesOf = async () => {
    const sql = `SELECT result_json ->> '$.state' AS state, count(*) AS n FROM idempotency_keys GROUP BY state`
    const rows = await context.projectionStore.query({ sql })
    return Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]))
  }

  it('waits for what must not be in doubt, and sends nothing more', async () => {
    const answer = createDeferred<void>()
    service = await startTestService(async (seen) => {
      await answer.promise
      return { body: JSON.stringify({ name: seen.url }) }
    })
    const ending = new AbortController()
    const asking = ask(numbers(10), { method: 'POST' }, { ending: ending.signal })
    asking.catch(() => undefined)
    await expect.poll(() => service.seen.length).toBe(4)
    ending.abort()
    answer.resolve()
    await expect(asking).rejects.toMatchObject({ code: 'CANCELED' })
    expect(service.seen).toHaveLength(4)
    expect(await statesOf()).toEqual({ confirmed: 4, planned: 6 })
    // Whoever goes on asks for the rest, and no person is needed.
    const rest = await ask(numbers(10), { method: 'POST' })
    expect(rest.rows).toHaveLength(10)
    expect(service.seen).toHaveLength(10)
  })

  it('breaks off what may be sent again, and pauses', async () => {
    service = await startTestService((seen) => (seen.url.endsWith('1') ? { status: 500 } : 'hang'))
    const ending = new AbortController()
    const retry = { times: 3, backoffMs: 60_000 }
    const asking = ask(numbers(4), { retry }, { ending: ending.signal })
    asking.catch(() => undefined)
    await expect.poll(() => service.seen.length).toBe(4)
    ending.abort()
    await expect(asking).rejects.toMatchObject({ code: 'CANCELED' })
    expect(service.seen).toHaveLength(4)
  })
})

describe('exactly once', () => {
  it('goes on where a start before it was cut off, and asks nobody twice who has answered', async () => {
    service = await startTestService(person)
    for (let cut = 1; cut <= 4; cut += 1) {
      const abortion = new AbortController()
      let left = 20
      const dying: Net = {
        ...net,
        fetch: async (url, init) => {
          const response = await fetch(url, init)
          left -= 1
          if (left === 0) abortion.abort()
          return response
        }
      }
      await ask(numbers(100), {}, { signal: abortion.signal, net: dying }).catch(() => undefined)
    }
    const asked = await ask(numbers(100))
    expect(Object.keys(valuesOf(asked))).toHaveLength(100)
    // What was under way at a cut is asked again: a GET changes nothing. What was answered before is not.
    const settled = (await executions()).filter((row) => row['status_code'] !== null)
    const urls = settled.map((row) => (JSON.parse(String(row['request_json'])) as { url: string }).url)
    expect(new Set(urls).size).toBe(urls.length)
    expect(urls).toHaveLength(100)
  })

  it('of what may have arrived asks a person, and sends all the others', async () => {
    service = await startTestService(({ url }) => (url.endsWith('/3') ? 'drop' : { body: '{"name":"x"}' }))
    const post = { method: 'POST', body: { id: '{{id}}' } }
    await expect(ask(numbers(5), post)).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'unknown-requests', count: 1 }
    })
    expect(await states()).toEqual({ confirmed: 4, unknown: 1 })
    expect(service.seen.filter(({ url }) => url.endsWith('/3'))).toHaveLength(1)
    await expect(ask(numbers(5), post)).rejects.toMatchObject({ details: { count: 1 } })
    expect(service.seen.filter(({ method }) => method === 'POST')).toHaveLength(5)
  })

  it.each([
    ['send-again', { confirmed: 5 }, 'x', 6],
    ['take-as-done', { confirmed: 5 }, null, 5],
    ['give-up', { confirmed: 4, failed: 1 }, 'A person gave it up: it may or may not have arrived.', 5]
  ] as const)('does what the person says of it: %s', async (decision, expected, value, sent) => {
    service = await startTestService(({ url }) => (url.endsWith('/3') ? 'drop' : { body: '{"name":"x"}' }))
    const post = { method: 'POST', onError: 'reject' } as const
    await expect(ask(numbers(5), post)).rejects.toMatchObject({ details: { reason: 'unknown-requests' } })
    const aggregates = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS), world)
    const requests = createRequestHandlers({ context, aggregates })
    const which = { runId: 'run:1', nodeId: 'ask', decision }
    await expect(requests.decide(which)).rejects.toMatchObject({ code: 'CONFLICT' })
    await context.projectionStore.upsert({
      table: 'runs',
      rows: [{ id: 'run:1', status: 'failed', input_manifest_json: { workflowId: 'workflow:w' } }]
    })
    await context.projectionStore.upsert({
      table: 'run_steps',
      rows: [{ id: STEP, stats_json: { kind: 'http', name: 'Ask' } }]
    })
    expect(await requests.unknown({ runId: 'run:1' })).toEqual([{ nodeId: 'ask', count: 1 }])
    expect(await requests.decide(which)).toEqual({ decided: 1 })
    expect(await requests.decide(which)).toEqual({ decided: 0 })
    const events = await context.eventStore.load({ aggregateId: 'requests:run:1/ask' })
    expect(events.map(({ payload }) => payload)).toEqual([{ ...which, count: 1 }])
    service.behave(() => ({ body: '{"name":"x"}' }))
    expect(valuesOf(await ask(numbers(5), post))['3']).toBe(value)
    expect(await states()).toEqual(expected)
    expect(service.seen.filter(({ method }) => method === 'POST')).toHaveLength(sent)
  })

  it('is not decided about while another run may have it under way', async () => {
    service = await startTestService(() => 'hang')
    const post = { method: 'POST', path: '/orders', idempotencyKey: 'order-{{id}}' }
    const cut = new AbortController()
    const underWay = ask(['1'], post, { runId: 'run:2', signal: cut.signal })
    while (service.seen.length === 0) await net.wait(1, cut.signal)
    const rowOf = (id: string, status: string) => ({
      id,
      status,
      input_manifest_json: { workflowId: 'workflow:w' }
    })
    await context.projectionStore.upsert({
      table: 'runs',
      rows: [rowOf('run:1', 'failed'), rowOf('run:2', 'running')]
    })
    const aggregates = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS), world)
    const requests = createRequestHandlers({ context, aggregates })
    const which = { runId: 'run:1', nodeId: 'ask', decision: 'give-up' } as const
    await expect(requests.decide(which)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('Another run of this workflow') as string
    })
    expect(await states()).toEqual({ sent: 1 })
    cut.abort()
    await expect(underWay).rejects.toMatchObject({ code: 'CANCELED' })
    await context.projectionStore.upsert({ table: 'runs', rows: [rowOf('run:2', 'canceled')] })
    expect(await requests.decide(which)).toEqual({ decided: 1 })
  })

  it('with a key of the person’s also holds from run to run, and is told to the service', async () => {
    service = await startTestService(() => ({ body: '{"name":"made"}' }))
    const post = { method: 'POST', path: '/orders', body: { id: '{{id}}' }, idempotencyKey: 'order-{{id}}' }
    await ask(numbers(3), post)
    const again = await ask(numbers(4), post, { runId: 'run:2' })
    expect(service.seen.map(({ headers }) => headers['idempotency-key']).toSorted()).toEqual([
      'order-1',
      'order-2',
      'order-3',
      'order-4'
    ])
    expect(again.rows).toHaveLength(4)
    const twice = ask(['1'], { ...post, body: { id: 'other' } }, { runId: 'run:3' })
    await expect(twice).rejects.toMatchObject({
      message: expect.stringContaining('another request already') as string
    })
  })

  it('is asked anew by another run without such a key', async () => {
    service = await startTestService(person)
    await ask(['1'])
    await ask(['1'], {}, { runId: 'run:2' })
    expect(service.seen).toHaveLength(2)
  })
})

describe('a retry', () => {
  const retried = { runId: 'run:2', answersOf: 'run:1' }

  it('asks for nobody again who has answered the run before, and can be retried and replayed itself', async () => {
    service = await startTestService((seen, nth) =>
      seen.url.endsWith('/3') && nth === 1 ? { status: 404 } : person(seen, nth)
    )
    await expect(ask(numbers(5), { concurrency: 1 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const asked = await ask(numbers(5), {}, retried)
    expect(Object.values(valuesOf(asked))).toEqual(numbers(5).map((n) => `N/people/${n}`))
    expect([...service.served().values()]).toEqual([1, 1, 1, 1, 1])
    expect(asked.logs).toEqual(['3 requests sent, 3 answered, 2 answers taken from the record.'])
    await ask(numbers(5), {}, { runId: 'run:3', answersOf: 'run:2' })
    await ask(numbers(5), {}, { runId: 'run:3', recordedIn: 'run:2' })
    expect(service.seen).toHaveLength(6)
  })

  it('asks anew for what differs from what was asked', async () => {
    service = await startTestService(person)
    await ask(numbers(2))
    await ask(numbers(2), { headers: { 'X-New': '1' } }, retried)
    expect(service.seen).toHaveLength(4)
  })
})

describe('a replay', () => {
  const cut: Net = { ...net, fetch: () => Promise.reject(new Error('The network was touched.')) }

  it('gives the recorded answers, the failed ones too, and touches no network', async () => {
    service = await startTestService((seen, nth) =>
      seen.url.endsWith('/2') ? { status: 404 } : person(seen, nth)
    )
    const first = await ask(numbers(3), { onError: 'reject' })
    const again = await ask(
      numbers(3),
      { onError: 'reject' },
      { runId: 'run:2', recordedIn: 'run:1', net: cut }
    )
    expect(valuesOf(again)).toEqual(valuesOf(first))
    expect(service.seen).toHaveLength(3)
  })

  it('names what was not recorded', async () => {
    service = await startTestService(person)
    await ask(['1'])
    const replay = ask(['1', '9'], {}, { runId: 'run:2', recordedIn: 'run:1', net: cut })
    await expect(replay).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('/people/9') as string,
      details: { reason: 'not-recorded' }
    })
  })
})

it('may be answered with more rows than a call takes arguments, also from the record', async () => {
  const items = Array.from({ length: 300_000 }, (_, n) => ({ n }))
  service = await startTestService(() => ({ body: JSON.stringify({ items }) }))
  const exploded: Partial<RequestPlan> = {
    columns: [{ name: 'n', pointer: '/n', type: 'text' }],
    explode: '/items'
  }
  expect((await ask(['1'], exploded)).rows).toHaveLength(300_000)
  const again = await ask(['1'], exploded, { runId: 'run:2', recordedIn: 'run:1' })
  expect(again.rows.at(-1)).toMatchObject({ index: 299_999, values: ['299999'] })
  expect(service.seen).toHaveLength(1)
})

it('leaves without the secrets of its answer in an archive for others', async () => {
  service = await startTestService(() => ({
    body: '{"name":"Ann","access_token":"hunter2"}',
    headers: { 'content-type': 'application/json' }
  }))
  await ask(['1'])
  const aggregates = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS), world)
  const har = await (await createRequestHandlers({ context, aggregates }).har({ runId: 'run:1' })).text()
  expect(har).toContain('Ann')
  expect(har).not.toContain('hunter2')
  const again = await ask(
    ['1'],
    { columns: [{ name: 't', pointer: '/access_token', type: 'text' }] },
    { runId: 'run:2', recordedIn: 'run:1' }
  )
  expect(again.rows).toMatchObject([{ values: ['hunter2'] }])
})

it.each([
  [2, '2nd'],
  [3, '3rd'],
  [4, '4th'],
  [21, '21st']
])('says the %dth time as one does', (attempts, said) => {
  const url = new URL('https://h.example')
  expect(badStatus(url, 500, attempts).message).toContain(`also the ${said} time`)
})

it('of an address that cannot be one is a failure of the row', async () => {
  service = await startTestService(person)
  const { rows } = await ask(['1'], { endpoint: 'http://127.0.0.1:99999', onError: 'reject' })
  expect(rows).toMatchObject([{ error: expect.stringContaining('no address that can be asked') as string }])
  expect(await executions()).toEqual([])
})

describe('a service that sends on to another one', () => {
  const other = async (): Promise<TestService> => startTestService(person)

  it('is not followed with a key that is for it alone', async () => {
    const elsewhere = await other()
    try {
      service = await startTestService(() => ({
        status: 302,
        headers: { location: `${elsewhere.url}/people/1` }
      }))
      const { rows } = await ask(['1'], { headers: { 'X-Api-Key': 'hunter2' }, onError: 'reject' })
      expect(rows).toMatchObject([
        { values: [null], error: expect.stringContaining('sends on to another address') as string }
      ])
      expect([service.seen.length, elsewhere.seen.length]).toEqual([1, 0])
      expect(await executions()).toHaveLength(1)
    } finally {
      await elsewhere.close()
    }
  })

  it('is followed where nothing secret goes along', async () => {
    const elsewhere = await other()
    try {
      service = await startTestService(() => ({
        status: 302,
        headers: { location: `${elsewhere.url}/people/1` }
      }))
      const { rows } = await ask(['1'], { headers: { 'X-Person': '1' } })
      expect(rows).toMatchObject([{ values: ['N/people/1'] }])
    } finally {
      await elsewhere.close()
    }
  })
})

it('belongs to the step that asked', async () => {
  service = await startTestService(person)
  await ask(['1'])
  expect((await executions()).map((row) => row['run_step_id'])).toEqual([STEP])
})
