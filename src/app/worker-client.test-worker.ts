/** Plays the worker's part in `worker-client.browser.test.ts`: each query's text says how it is to be answered. */
// oxlint-disable-next-line no-restricted-imports -- it stands on the worker's side of the boundary
import { expose, proxy } from 'comlink'
import { FlowForgeError, type Boot, type LogBatch, type Row } from '../worker/api.ts'
// oxlint-disable-next-line no-restricted-imports -- the same
import { keepErrorCodes } from '../worker/boundary.ts'

type Listener = (answer: { rows: Row[] } | { error: { code: string; message: string } }) => void
type Call = { id: string; path: string[]; args: unknown }
type Query = { sql: string; params?: unknown[] }

if (self.name === 'broken') throw new Error('broken from the start')

const following = new Map<Listener, Query>()
const never = new Promise<never>(() => undefined)
/** What was sent to any worker, for the test to read. */
const record = new BroadcastChannel('worker-client-test')

const end = (how: string): Promise<never> => {
  if (how === 'close') self.close()
  else
    setTimeout(() => {
      throw new Error('boom')
    })
  return never
}

const queryProjection = ({ sql, params }: Query, wasSent: boolean): Promise<Row[]> => {
  const [what, how = ''] = sql.split(' ')
  switch (what) {
    case 'refused':
      throw new FlowForgeError('NOT_ALLOWED', 'Writes are refused.', { table: 'events' })
    case 'never':
      return never
    case 'hang':
      // The next one is told that it was sent before.
      for (const until = wasSent ? 0 : performance.now() + Number(how); performance.now() < until;);
      return Promise.resolve([{ sql }])
    case 'once':
      return wasSent ? Promise.resolve([{ sql }]) : end(how)
    case 'waits':
      return wasSent ? Promise.resolve([{ sql }]) : never
    case 'always':
      return end(how)
    case 'followed':
      return Promise.resolve([...following.values()].map((query) => ({ sql: query.sql })))
    case 'commit':
      for (const [listener, query] of following) listener({ rows: [{ sql: query.sql, after: 'commit' }] })
      return Promise.resolve([])
    default:
      return Promise.resolve([{ sql, params }])
  }
}

const putBlob = async ({ data }: { data: Blob | Uint8Array }, wasSent: boolean): Promise<never> => {
  if (!wasSent) return end('crash')
  const text = data instanceof Blob ? await data.text() : [...data].join()
  throw new FlowForgeError('CONFLICT', `${data instanceof Blob ? 'a Blob' : 'bytes'}: ${text}`)
}

keepErrorCodes()
expose({
  call: ({ id, path, args }: Call, wasSent: boolean) => {
    const name = path.join('.')
    const sql: unknown = Reflect.get(Object(args), 'sql')
    record.postMessage({ id, what: typeof sql === 'string' ? sql : name, wasSent })
    if (name === 'db.queryProjection') return queryProjection(args as Query, wasSent)
    if (name === 'db.putBlob') return putBlob(args as { data: Blob | Uint8Array }, wasSent)
    return never
  },
  forget: () => undefined,
  holdLock: (name: string) =>
    new Promise<void>((resolve) => {
      if (self.name === 'unheard') return
      void navigator.locks.request(name, () => {
        resolve()
        return never
      })
    }),
  ping: () => undefined,
  onBoot: (listener: (boot: Boot) => void) => listener({ state: 'ready' }),
  liveQuery: (query: Query, listener: Listener) => {
    following.set(listener, query)
    if (query.sql === 'wrong') listener({ error: { code: 'INVALID_INPUT', message: 'no such table' } })
    else listener({ rows: [{ sql: query.sql, params: query.params }] })
    return proxy(() => following.delete(listener))
  },
  /** Each worker tells of the event after the position that it is given. */
  subscribe: ({ afterPosition = 10 }: { afterPosition?: number }, listener: (batch: LogBatch) => unknown) => {
    record.postMessage({ what: 'subscribe', afterPosition })
    void listener({
      events: [{ position: afterPosition + 1 }] as unknown as LogBatch['events'],
      position: afterPosition + 1,
      generation: 0
    })
    return proxy(() => undefined)
  }
})
