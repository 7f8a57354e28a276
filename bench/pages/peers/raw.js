import { proxy, wrap } from 'comlink'

const worker = wrap(new Worker(new URL('./raw-worker.js', import.meta.url), { type: 'module' }))

const load = async (stream) => JSON.parse(new TextDecoder().decode(await worker.load(stream)))

export const peer = {
  open: async (directory) => `SQLite ${await worker.open(directory)}`,
  append: (event) => worker.append(event),
  appendMany: (events) => worker.appendMany(events),
  load,
  rebuild: (sql) => worker.rebuild(sql),
  count: () => worker.count(),
  /** By hand: read again after each commit. */
  follow: async (stream, heard) => {
    await worker.onChange(proxy(async () => heard(await load(stream))))
    heard(await load(stream))
  }
}
