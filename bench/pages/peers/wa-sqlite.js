import { proxy, wrap } from 'comlink'

const worker = wrap(new Worker(new URL('./wa-sqlite-worker.js', import.meta.url), { type: 'module' }))

export const peer = {
  open: (directory) => worker.open(directory),
  append: (event) => worker.append(event),
  appendMany: (events) => worker.appendMany(events),
  load: (stream) => worker.load(stream),
  count: () => worker.count(),
  /** By hand: read again after each commit. */
  follow: async (stream, heard) => {
    await worker.onChange(proxy(async () => heard(await worker.load(stream))))
    heard(await worker.load(stream))
  },
  close: () => worker.close()
}
