import { transfer } from 'comlink'
import type { DbContext } from '../db/ports.ts'
import { dbInputs, type WireDbApi } from './api.ts'
import { handler } from './handler.ts'
import type { EventLog } from './event-log.ts'
import { replicasOf } from './replica-handlers.ts'
import type { Once } from './once.ts'
import { putLargeBlob } from './put-large-blob.ts'
import type { DirectWrites } from './projections/direct-writes.ts'

const asTransferred = (bytes: Uint8Array<ArrayBuffer>): Uint8Array => transfer(bytes, [bytes.buffer])

/** Larger blobs are streamed outside of a transaction, which others would wait for. */
const NOTED_LIMIT = 1024 * 1024
const sizeOf = (data: Uint8Array | Blob): number => (data instanceof Blob ? data.size : data.byteLength)

/**
 * The document's handlers: `window.db` as seen from the worker. Queries go to `read`, which SQLite itself keeps from
 * writing; protected tables are refused by the projection store. An event that brings no id gets one of its call's, so
 * that a call which is sent again answers with what it stored. What leaves no event is noted under the call's id, so that
 * it does not undo what others have written since.
 */
export const createDbHandlers = (
  context: DbContext,
  log: EventLog,
  once: Once,
  directWrites: DirectWrites
): WireDbApi => ({
  appendEvent: handler('appendEvent', dbInputs.appendEvent, (event, callId) =>
    log.append({ ...event, id: event.id ?? callId })
  ),
  appendEvents: handler('appendEvents', dbInputs.appendEvents, ({ events }, callId) =>
    log.appendMany(
      events.map((event, index) => ({
        ...event,
        id: event.id ?? (callId === undefined ? undefined : `${callId}/${index}`)
      }))
    )
  ),
  loadEvents: handler('loadEvents', dbInputs.loadEvents, async (args) =>
    asTransferred(await context.eventStore.loadBytes(args))
  ),
  readAll: handler('readAll', dbInputs.readAll, async (args) =>
    asTransferred(await context.eventStore.readAllBytes(args))
  ),
  latestSnapshot: handler('latestSnapshot', dbInputs.latestSnapshot, (args) =>
    context.eventStore.latestSnapshot(args)
  ),
  saveSnapshot: handler('saveSnapshot', dbInputs.saveSnapshot, (args, callId) =>
    once(callId, (tx) => tx.eventStore.saveSnapshot(args))
  ),
  queryProjection: handler('queryProjection', dbInputs.queryProjection, async ({ replica, ...args }) => {
    if (replica === undefined) return (await context.projectionStore.read(args)).rows
    const pieces = await replicasOf(context).read({ replica, ...args })
    // Handed on as they are: a million rows are the page's to read, not this worker's.
    return transfer(
      { pieces },
      pieces.map(({ buffer }) => buffer)
    )
  }),
  upsertProjection: handler('upsertProjection', dbInputs.upsertProjection, (args, callId) =>
    once(callId, (tx) => directWrites.upsert(tx, args))
  ),
  truncateProjection: handler('truncateProjection', dbInputs.truncateProjection, (args, callId) =>
    once(callId, (tx) => directWrites.truncate(tx, args))
  ),
  putBlob: handler('putBlob', dbInputs.putBlob, (args, callId) =>
    callId !== undefined && sizeOf(args.data) > NOTED_LIMIT
      ? putLargeBlob(context, once, callId, args)
      : once(callId, (tx) => tx.blobStore.put(args))
  ),
  getBlob: handler('getBlob', dbInputs.getBlob, async (args) => {
    const blob = await context.blobStore.get(args)
    return blob === null ? null : transfer(blob, [blob.data.buffer])
  }),
  statBlob: handler('statBlob', dbInputs.statBlob, async (args) => {
    const stat = await context.blobStore.stat(args)
    if (stat === null) return null
    return stat.contentType === undefined
      ? { size: stat.size }
      : { size: stat.size, contentType: stat.contentType }
  })
})
