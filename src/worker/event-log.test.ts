import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { ALL_PROJECTIONS } from '../workflow/projections/all.ts'
import { fromWire } from './boundary.ts'
import { createDbHandlers } from './db-handlers.ts'
import { createEventLog } from './event-log.ts'
import type { DbApi } from './api.ts'
import { createOnce } from './once.ts'
import { createDirectWrites } from './projections/direct-writes.ts'
import { systemWorld } from './world.ts'

describe('window.db, as the worker answers it', () => {
  let context: DbContext
  let db: Omit<DbApi, 'subscribe'>
  beforeEach(async () => {
    context = await openDbContext({ storage: 'memory', ...systemWorld })
    db = fromWire(
      createDbHandlers(
        context,
        createEventLog(context, ALL_PROJECTIONS),
        createOnce(context, systemWorld),
        createDirectWrites(ALL_PROJECTIONS, systemWorld.now)
      )
    )
  })
  afterEach(() => context.close())

  const created = {
    aggregateId: 'workflow:my-workflow-123',
    eventType: 'WorkflowCreated',
    payload: { name: 'Data Processing Pipeline', description: 'Process user data from CSV' },
    metadata: { userId: 'john.doe', source: 'ui' }
  }
  const pipelines = () =>
    db.queryProjection({ sql: 'SELECT * FROM workflows WHERE name LIKE ?', params: ['%Pipeline%'] })

  test('an event that FlowForge defines is projected with its append', async () => {
    expect((await db.appendEvent(created)).seq).toBe(1)
    expect(await pipelines()).toEqual([
      expect.objectContaining({ id: 'workflow:my-workflow-123', name: 'Data Processing Pipeline' })
    ])
  })

  test('appended again under its id it is projected once', async () => {
    const first = await db.appendEvent({ ...created, id: 'mine' })
    await db.upsertProjection({
      table: 'workflows',
      rows: [{ id: created.aggregateId, name: 'My Pipeline', created_at: 'now' }]
    })
    expect(await db.appendEvent({ ...created, id: 'mine' })).toEqual(first)
    expect(await pipelines()).toEqual([expect.objectContaining({ name: 'My Pipeline' })])
  })

  test('a payload that does not fit its type is refused, and nothing is stored', async () => {
    await expect(db.appendEvent({ ...created, payload: { title: 'x' } })).rejects.toMatchObject({
      code: 'INVALID_INPUT'
    })
    expect(await db.loadEvents({ aggregateId: created.aggregateId })).toEqual([])
  })

  test('where the rows cannot be written the event is not stored either', async () => {
    await db.appendEvent(created)
    const twin = { ...created, aggregateId: 'workflow:twin' }
    await expect(db.appendEvent(twin)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await db.loadEvents({ aggregateId: 'workflow:twin' })).toEqual([])
  })

  test('events of others are stored and left alone', async () => {
    await db.appendEvents({
      events: [
        { aggregateId: 'order:1', eventType: 'WorkflowCreated', payload: { anything: true } },
        { aggregateId: 'workflow:x', eventType: 'Applauded', payload: {} }
      ]
    })
    expect(await db.readAll({})).toHaveLength(2)
    expect(await db.queryProjection({ sql: 'SELECT * FROM workflows' })).toEqual([])
  })

  test('a call with what it does not know is refused, with the path', async () => {
    const wrong = { ...created, expectedSequence: 3, payload: 'text' }
    await expect(db.appendEvent(wrong as unknown as typeof created)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('payload'),
      details: { issues: expect.arrayContaining([expect.objectContaining({ code: 'unrecognized_keys' })]) }
    })
  })

  test('a blob comes back as it was put', async () => {
    await db.putBlob({ key: 'a', data: new Uint8Array([1, 2, 3]), contentType: 'x/y' })
    expect(await db.statBlob({ key: 'a' })).toEqual({ size: 3, contentType: 'x/y' })
    expect(await db.getBlob({ key: 'a' })).toEqual({ data: new Uint8Array([1, 2, 3]), contentType: 'x/y' })
    expect(await db.getBlob({ key: 'b' })).toBeNull()
  })
})
