/** Plays the worker's part in `worker-client.browser.test.ts`: each query's text says how it is to be answered. */
// oxlint-disable-next-line no-restricted-imports -- it stands on the worker's side of the boundary
import { expose, proxy } from 'comlink'
import { FlowForgeError, type Boot, type Row } from '../worker/api.ts'
// oxlint-disable-next-line no-restricted-imports -- the same
import { keepErrorCodes } from '../worker/boundary.ts'

type Listener = (answer: { rows: Row[] } | { error: { code: string; message: string } }) => void
const following = new Map<Listener, { sql: string; params?: unknown[] }>()
const never = new Promise<never>(() => undefined)

const queryProjection = ({ sql, params }: { sql: string; params?: unknown[] }): Promise<Row[]> => {
  switch (sql) {
    case 'refused':
      throw new FlowForgeError('NOT_ALLOWED', 'Writes are refused.', { table: 'events' })
    case 'never':
      return never
    case 'crash':
      setTimeout(() => {
        throw new Error('boom')
      })
      return never
    case 'followed':
      return Promise.resolve([...following.values()].map((query) => ({ sql: query.sql })))
    case 'commit':
      for (const [listener, query] of following) listener({ rows: [{ sql: query.sql, after: 'commit' }] })
      return Promise.resolve([])
    default:
      return Promise.resolve([{ sql, params }])
  }
}

keepErrorCodes()
expose({
  db: {
    queryProjection,
    putBlob: ({ data }: { data: Blob | Uint8Array }) =>
      Promise.reject(new FlowForgeError('CONFLICT', data instanceof Blob ? 'a Blob' : 'bytes'))
  },
  flowforge: { runs: { wait: () => never } },
  onBoot: (listener: (boot: Boot) => void) => listener({ state: 'ready' }),
  liveQuery: (query: { sql: string; params?: unknown[] }, listener: Listener) => {
    following.set(listener, query)
    if (query.sql === 'wrong') listener({ error: { code: 'INVALID_INPUT', message: 'no such table' } })
    else listener({ rows: [{ sql: query.sql, params: query.params }] })
    return proxy(() => following.delete(listener))
  }
})
