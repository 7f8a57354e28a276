import type { WorkerClient } from '../../../src/app/worker-client.ts'
import type { Event } from '../../../src/worker/api.ts'
import { toStored } from '../../simulation/facts.ts'
import type { Order, OrderedEvent, Told } from '../orders.ts'

/** In ms of the machine's clock, which all tabs share. */
const now = (): number => performance.timeOrigin + performance.now()

/** Nobody hears it where the page dies: then it is not known how the order ended. */
const tell = async (told: Told | { readonly index: number; readonly reached: string }): Promise<void> => {
  await fetch('/told', { method: 'POST', body: JSON.stringify(told), keepalive: true }).catch(() => undefined)
}

const append = async ({ db }: WorkerClient, events: readonly OrderedEvent[]): Promise<Event[]> => {
  const given = events.map(({ payload, ...event }) => ({ ...event, payload: { ...payload } }))
  const [only] = given
  return given.length === 1 && only !== undefined
    ? [await db.appendEvent(only)]
    : db.appendEvents({ events: given })
}

const archive = async (
  { flowforge }: WorkerClient,
  { isIntoFolder, bringsBack }: Extract<Order, { kind: 'archive' }>
): Promise<void> => {
  // A folder of the browser's own stands for one that a person chose.
  const open = async () =>
    (await navigator.storage.getDirectory()).getDirectoryHandle('chosen', { create: true })
  await flowforge.archive.create(isIntoFolder ? { folder: await open() } : {})
  const [newest] = (await flowforge.archive.list()).segments
  if (bringsBack && newest !== undefined) await flowforge.archive.restore({ segmentId: newest.id })
}

/** Answers with the events that were appended or loaded. */
const perform = async (client: WorkerClient, order: Order): Promise<readonly Event[]> => {
  const { db, flowforge } = client
  switch (order.kind) {
    case 'append':
      return append(client, order.events)
    case 'load':
      return db.loadEvents({ aggregateId: order.aggregateId })
    case 'row':
      await db.upsertProjection({
        table: 'principals',
        rows: [{ id: order.key, kind: 'user', name: order.name, created_at: 'then' }]
      })
      return []
    case 'snapshot':
      await db.saveSnapshot({
        aggregateId: order.aggregateId,
        lastSeq: order.lastSeq,
        state: { lastSeq: order.lastSeq }
      })
      return []
    case 'blob':
      await db.putBlob({ key: order.key, data: new Blob([new Uint8Array(order.size).fill(order.fill)]) })
      return []
    case 'rebuild':
      await flowforge.projections.rebuild(
        order.projection === null ? undefined : { projection: order.projection }
      )
      return []
    case 'backup':
      await flowforge.backup.create()
      return []
    case 'archive':
      await archive(client, order)
      return []
    case 'restore': {
      // As a person's own file: not one that goes with the program which wrote it.
      const file = new Blob([await (await flowforge.backup.create()).arrayBuffer()])
      await act(client, order.marker)
      await tell({ index: order.index, reached: 'restore' })
      await flowforge.backup.restore(file)
      return []
    }
  }
}

const failureOf = (thrown: unknown): Told['outcome'] => {
  const actualSeq: unknown = Reflect.get(Object(Reflect.get(Object(thrown), 'details')), 'actualSeq')
  return {
    kind: 'failed',
    code: String(Reflect.get(Object(thrown), 'code')),
    message: String(thrown),
    ...(typeof actualSeq === 'number' ? { actualSeq } : {})
  }
}

const act = async (client: WorkerClient, order: Order): Promise<void> => {
  const invokedAt = now()
  const outcome = await perform(client, order).then(
    (events): Told['outcome'] => ({ kind: 'answered', events: events.map(toStored) }),
    failureOf
  )
  void tell({ index: order.index, invokedAt, at: now(), outcome })
}

/** How many calls of `appendNumbered` are under way at a time. */
const AT_ONCE = 10

/** Appends events that are numbered from 0, in that order. */
export const appendNumbered = async (
  { db }: WorkerClient,
  aggregateId: string,
  count: number
): Promise<void> => {
  const underWay: Promise<unknown>[] = []
  for (let index = 0; index < count; index += 1) {
    underWay.push(
      db
        .appendEvent({ aggregateId, eventType: 'Counted', payload: { index } })
        .then(() => tell({ index, reached: 'appended' }))
    )
    // oxlint-disable-next-line no-await-in-loop -- no more than so many at once
    if (underWay.length >= AT_ONCE) await underWay.shift()
  }
  await Promise.all(underWay)
}

/** One client's work: order after order, some without waiting for the answer. */
export const carryOut = async (client: WorkerClient, orders: readonly Order[]): Promise<void> => {
  const underWay: Promise<void>[] = []
  for (const order of orders) {
    const done = act(client, order)
    underWay.push(done)
    // oxlint-disable-next-line no-await-in-loop -- one after the other is what a client does that waits
    if (order.waits) await done
  }
  await Promise.all(underWay)
}
