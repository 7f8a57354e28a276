import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { WebRequest, withoutSecrets, withSecrets } from '../../workflow/data-source/web-request.ts'
import { createAggregateStore } from '../aggregate-store.ts'
import { createEventLog } from '../event-log.ts'
import { createRequestHandlers } from '../request-handlers.ts'
import { createClient } from './client.ts'
import { startTestService, type Behaviour, type TestService } from './contract/test-service.ts'
import { fetchPages } from './fetch-pages.ts'
import { systemNet, type Net } from './net.ts'
import { createRequestRecord, probing } from './request-record.ts'

let ids = 0
const world = { now: () => new Date().toISOString(), newId: () => `id-${(ids += 1)}` }
const net: Net = {
  ...systemNet,
  random: () => 0,
  surroundings: async () => ({ online: true, secure: false, pageIsLocal: true, localPermission: null })
}

let context: DbContext
let service: TestService
beforeEach(async () => {
  context = await openDbContext({ storage: 'memory', ...world })
})
afterEach(async () => {
  await service.close()
  await context.close()
})

const fetching = async (change: object = {}, { over = net, most }: { over?: Net; most?: number } = {}) => {
  const record = createRequestRecord(context, world)
  const dataSourceId = 'datasource:1'
  const client = createClient(over, probing(record, { purpose: 'probe', dataSourceId }))
  const request = WebRequest.parse({
    url: `${service.url}/orders`,
    format: 'json',
    retry: { times: 2, backoffMs: 1 },
    ...change
  })
  const { signal } = new AbortController()
  const fetched = await fetchPages({ client, record, net: over, world }, request, {
    dataSourceId,
    signal,
    ...(most === undefined ? {} : { most })
  })
  return { ...fetched, text: await fetched.file.text() }
}
const sent = async () => {
  const aggregates = createAggregateStore(context, createEventLog(context, []), world)
  return (await createRequestHandlers({ context, aggregates }).list({})).requests
}

/** Pages of two rows, three of them full. */
const rowsOf = (page: number) => (page <= 3 ? [{ n: 2 * page - 1 }, { n: 2 * page }] : [])
const parameter = (url: string, name: string): string | null =>
  new URL(url, 'http://x').searchParams.get(name)
const SIX = [1, 2, 3, 4, 5, 6].map((n) => ({ n }))

describe('pages of a data source', () => {
  it('are numbered until one is empty', async () => {
    service = await startTestService(({ url }) => ({
      body: JSON.stringify({ data: rowsOf(Number(parameter(url, 'p'))) })
    }))
    const { pages, text, notes } = await fetching({
      rows: '/data',
      paging: { type: 'page', parameter: 'p', first: 1 }
    })
    expect(JSON.parse(text)).toEqual(SIX)
    expect([pages, notes]).toEqual([4, []])
    expect(await sent()).toHaveLength(4)
  })

  it('follow the Link header', async () => {
    service = await startTestService(({ url }) => {
      const page = Number(parameter(url, 'page') ?? 1)
      const next = `</orders?page=0>; rel="first", </orders?page=${page + 1}>; title="a, b"; rel="next last"`
      return { body: JSON.stringify(rowsOf(page)), headers: page < 3 ? { link: next } : {} }
    })
    const { text } = await fetching({ paging: { type: 'link-header' } })
    expect(JSON.parse(text)).toEqual(SIX)
  })

  it('follow a cursor, and numbers keep every digit', async () => {
    service = await startTestService(({ url }) => {
      const page = Number(parameter(url, 'after') ?? 1)
      const next = page < 3 ? page + 1 : null
      return { body: `{"next":${next},"items":[{"big":900719925474099312345678901234567890,"n":${page}}]}` }
    })
    const { text, pages } = await fetching({
      rows: '/items',
      paging: { type: 'cursor', pointer: '/next', parameter: 'after' }
    })
    expect(pages).toBe(3)
    expect(text.match(/900719925474099312345678901234567890/g)).toHaveLength(3)
  })

  it('of CSV have one header, of NDJSON none', async () => {
    service = await startTestService(({ url }) => {
      const rows = rowsOf(Number(parameter(url, 'p')))
      return url.startsWith('/csv')
        ? { body: ['n,"a\nb"', ...rows.map(({ n }) => `${n},"x\ny"`)].join('\r\n') }
        : { body: rows.map((row) => JSON.stringify(row)).join('\n') }
    })
    const paging = { type: 'page', parameter: 'p', first: 1 }
    const csv = await fetching({ url: `${service.url}/csv`, format: 'csv', paging })
    expect(csv.text.replaceAll('\r', '')).toBe(
      ['n,"a\nb"', ...SIX.map(({ n }) => `${n},"x\ny"`), ''].join('\n')
    )
    const ndjson = await fetching({ url: `${service.url}/nd`, format: 'ndjson', paging })
    expect(JSON.parse(ndjson.text)).toEqual(SIX)
  })

  it('end at the limit of pages, and say so', async () => {
    service = await startTestService(() => ({ body: '[{"n":1}]' }))
    const paging = { type: 'page', parameter: 'p', first: 1 }
    const { pages, notes } = await fetching({ paging, limits: { pages: 2 } })
    expect([pages, notes]).toEqual([2, ['Fetched no more than 2 pages: there may be more.']])
  })

  it('are tried again after 500, 429 and a dropped connection, as late as the service asks', async () => {
    service = await startTestService((_, nth) => {
      if (nth === 1) return { status: 500 }
      if (nth === 2) return { status: 429, headers: { 'retry-after': '7' } }
      return { body: '[{"n":1}]' }
    })
    const waits: number[] = []
    const patient: Net = { ...net, wait: async (ms) => void waits.push(ms) }
    await fetching({}, { over: patient })
    expect(waits.filter((ms) => ms >= 7_000)).toHaveLength(1)
    const list = await sent()
    expect(list.map(({ status }) => status).toSorted()).toEqual([200, 429, 500])
    expect(list.every(({ purpose, runId }) => purpose === 'source' && runId === null)).toBe(true)
  })
})

const LINKED = { paging: { type: 'link-header' } }
const failing: [string, Behaviour, object][] = [
  ['status', () => ({ status: 404 }), {}],
  ['timeout', () => 'hang', { timeoutMs: 50 }],
  ['unreadable', () => ({ body: '<html>' }), {}],
  ['unreadable', () => ({ body: '{"rows":[]}' }), {}],
  ['unreadable', () => ({ body: '[]', headers: { link: '<http://other.test/>; rel=next' } }), LINKED],
  ['unreadable', () => ({ body: '[]', headers: { link: '</orders>; rel=next' } }), LINKED],
  [
    'redirect',
    () => ({ status: 301, headers: { location: 'http://other.test/' } }),
    { headers: { 'X-Api-Key': 'k' } }
  ],
  ['too-large', () => ({ body: '[{"n":"0123456789"}]' }), { limits: { bytes: 10 } }]
]
describe('a fetch that fails', () => {
  it.each(failing)('says why: %s', async (reason, behaviour, change) => {
    service = await startTestService(behaviour)
    const failed = fetching({ retry: { times: 0, backoffMs: 1 }, ...change })
    await expect(failed).rejects.toMatchObject({ code: 'INVALID_INPUT', details: { reason, page: 1 } })
  })

  it('says so of an address that cannot be one', async () => {
    service = await startTestService(() => ({ body: '[]', headers: { link: '<http://[>; rel=next' } }))
    const failed = fetching({ url: 'http://127.0.0.1:99999/orders' })
    await expect(failed).rejects.toMatchObject({ code: 'INVALID_INPUT', details: { reason: 'no-address' } })
    await expect(fetching(LINKED)).rejects.toMatchObject({ details: { reason: 'unreadable', page: 1 } })
  })

  it('does not fetch one page again and again', async () => {
    service = await startTestService(() => ({ body: '[{"n":1},{"n":2}]' }))
    const failed = fetching({ paging: { type: 'page', parameter: 'seite', first: 1 } })
    await expect(failed).rejects.toMatchObject({
      message: expect.stringContaining('Check that "seite"') as string,
      details: { reason: 'unreadable', page: 3 }
    })
    expect(service.seen).toHaveLength(3)
  })

  it('keeps on record what it asked, also to tell what was wrong', async () => {
    service = await startTestService(() => ({}))
    const cors: Net = {
      ...net,
      fetch: (url, init) =>
        init.mode === 'no-cors' ? fetch(url, init) : Promise.reject(new TypeError('Failed to fetch'))
    }
    const failed = fetching({ retry: { times: 0, backoffMs: 1 } }, { over: cors })
    await expect(failed).rejects.toMatchObject({ details: { reason: 'cors' } })
    const list = await sent()
    expect(list.map(({ method, purpose }) => `${method} ${purpose}`).toSorted()).toEqual([
      'GET source',
      'HEAD probe'
    ])
    expect(service.seen).toHaveLength(1)
  })
})

describe('secrets of a request', () => {
  it('are used, and stand nowhere', async () => {
    service = await startTestService(() => ({ body: '[{"n":1}]' }))
    const request = {
      url: `${service.url}/orders?api_key=hunter2&q=1`,
      headers: { Authorization: 'Bearer hunter3' }
    }
    await fetching(request)
    expect(service.seen[0]?.headers.authorization).toBe('Bearer hunter3')
    const kept = JSON.stringify(
      await context.projectionStore.query({ sql: 'SELECT * FROM idempotency_keys' })
    )
    expect(kept).toContain('api_key=***')
    expect(kept).not.toMatch(/hunter/)
    service.behave(({ url }) => ({
      body: `[{"n":"${url.includes('page=2') ? 2 : 1}"}]`,
      headers: url.includes('page=2') ? {} : { link: `<${url}&page=2>; rel="next"` }
    }))
    await fetching({ ...request, paging: { type: 'link-header' } })
    expect(service.seen.at(-1)?.url).toContain('api_key=hunter2&q=1&page=2')
    const record = await context.projectionStore.query({ sql: 'SELECT * FROM idempotency_keys' })
    expect(JSON.stringify(record)).not.toMatch(/hunter/)
    const before = service.seen.length
    const masked = withoutSecrets(WebRequest.parse({ format: 'json', ...request }))
    await expect(fetching(masked)).rejects.toMatchObject({
      details: { reason: 'secrets-needed', secrets: ['Authorization', 'api_key'] }
    })
    await fetching(withSecrets(masked, { Authorization: 'Bearer new', api_key: 'a&b' }))
    expect(service.seen[before]).toMatchObject({
      url: '/orders?api_key=a%26b&q=1',
      headers: { authorization: 'Bearer new' }
    })
  })
})
