import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DbContext } from '../ports.ts'
import type { OpenContext } from './store-contract.ts'

/** What every adapter's event store does; `open` gives a fresh, empty context. */
export const describeEventStore = (title: string, open: OpenContext): void => {
  describe(`${title}: event store`, () => {
    let context: DbContext
    beforeEach(async () => {
      context = await open()
    })
    afterEach(async () => {
      await context.close()
    })
    const append = (aggregateId: string, extra: object = {}) =>
      context.eventStore.append({ aggregateId, eventType: 'TestEvent', payload: { value: 42 }, ...extra })

    test('append and load events', async () => {
      const event = await append('test:123')
      expect(event.seq).toBe(1)
      const events = await context.eventStore.load({ aggregateId: 'test:123' })
      expect(events).toHaveLength(1)
      expect(events[0]).toEqual(event)
      expect(events[0]?.payload['value']).toBe(42)
    })

    test('an aggregate id keeps its form, and its prefix is the type', async () => {
      expect(await append('workflow:a:b')).toMatchObject({
        aggregateId: 'workflow:a:b',
        aggregateType: 'workflow'
      })
      expect(await append('alone')).toMatchObject({ aggregateId: 'alone', aggregateType: 'default' })
    })

    test('streams are numbered by themselves, positions go on over all', async () => {
      const events = [await append('a:1'), await append('b:1'), await append('a:1')]
      expect(events.map((event) => event.seq)).toEqual([1, 1, 2])
      const positions = events.map((event) => event.position)
      expect(positions).toEqual(positions.toSorted((left, right) => left - right))
      expect(new Set(positions).size).toBe(3)
    })

    test('load goes on after a seq, up to a limit', async () => {
      for (let count = 0; count < 5; count += 1) await append('a:1')
      const seqs = async (args: object) =>
        (await context.eventStore.load({ aggregateId: 'a:1', ...args })).map((event) => event.seq)
      expect(await seqs({ afterSeq: 2 })).toEqual([3, 4, 5])
      expect(await seqs({ afterSeq: 1, limit: 2 })).toEqual([2, 3])
      expect(await seqs({ afterSeq: 5 })).toEqual([])
    })

    test('what is loaded as bytes is what is loaded', async () => {
      const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 })
      const one = fc.record(
        {
          aggregateId: fc.constantFrom('a:"1"\\\n', 'b:\u2028\0', 'c:😀'),
          eventType: fc.constantFrom('T', 'U"'),
          payload: fc.dictionary(texts, fc.jsonValue({ noUnicodeString: false })),
          metadata: fc.option(fc.dictionary(texts, fc.jsonValue())),
          causedByEventId: fc.constantFrom('x"y')
        },
        { requiredKeys: ['aggregateId', 'eventType', 'payload'] }
      )
      const toEvents = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))
      await fc.assert(
        fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 6 }), async (events) => {
          await context.eventStore.appendMany(events)
          for (const args of [
            {},
            { limit: 2 },
            { afterPosition: 1, eventType: 'T' },
            { aggregateType: 'b' }
          ]) {
            expect(toEvents(await context.eventStore.readAllBytes(args))).toEqual(
              await context.eventStore.readAll(args)
            )
          }
          for (const { aggregateId } of events) {
            for (const args of [{ aggregateId }, { aggregateId, afterSeq: 1, limit: 2 }]) {
              expect(toEvents(await context.eventStore.loadBytes(args))).toEqual(
                await context.eventStore.load(args)
              )
            }
          }
        }),
        { numRuns: 20 }
      )
      expect(toEvents(await context.eventStore.loadBytes({ aggregateId: 'nobody' }))).toEqual([])
    })

    test('an expected seq that is not met is a conflict, and appends nothing', async () => {
      await append('a:1', { expectedSeq: 0 })
      await expect(append('a:1', { expectedSeq: 0 })).rejects.toMatchObject({
        code: 'CONFLICT',
        details: { aggregateId: 'a:1', expectedSeq: 0, actualSeq: 1 }
      })
      await expect(append('a:1', { expectedSeq: 7 })).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await context.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(1)
    })

    test('the same id appended again answers with the stored event', async () => {
      const first = await append('a:1', { id: 'mine' })
      const again = await append('a:1', { id: 'mine', payload: { value: 'another' } })
      expect(again).toEqual(first)
      expect(await context.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(1)
      await expect(append('b:1', { id: 'mine' })).rejects.toMatchObject({ code: 'CONFLICT' })
    })

    test('a transaction id is taken from the call, else from metadata, else made', async () => {
      expect((await append('a:1', { txId: 'mine' })).txId).toBe('mine')
      expect((await append('a:1', { metadata: { tx_id: 'shared' } })).txId).toBe('shared')
      const made = [await append('a:1'), await append('a:1')].map((event) => event.txId)
      expect(new Set(made).size).toBe(2)
    })

    test('cause, version and metadata come back as they were given', async () => {
      const cause = await append('a:1')
      await append('a:1', { causedByEventId: cause.id, eventVersion: 3, metadata: { userId: 'john.doe' } })
      const [, event] = await context.eventStore.load({ aggregateId: 'a:1' })
      expect(event).toMatchObject({
        causedByEventId: cause.id,
        eventVersion: 3,
        metadata: { userId: 'john.doe' }
      })
      expect(event?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    })

    test('many are appended all or none, under one transaction id', async () => {
      const batch = [1, 2, 3].map((value) => ({
        aggregateId: 'a:1',
        eventType: 'Counted',
        payload: { value }
      }))
      const events = await context.eventStore.appendMany(batch)
      expect(events.map((event) => [event.seq, event.payload['value']])).toEqual([
        [1, 1],
        [2, 2],
        [3, 3]
      ])
      expect(new Set(events.map((event) => event.txId)).size).toBe(1)
      expect(await context.eventStore.load({ aggregateId: 'a:1' })).toEqual(events)
      const bad = { aggregateId: 'b:1', eventType: 'Counted', payload: {}, expectedSeq: 9 }
      await expect(context.eventStore.appendMany([...batch, bad])).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await context.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(3)
    })

    test('an id that comes twice in a batch is one event, and no other one’s', async () => {
      const event = { aggregateId: 'a:1', eventType: 'Counted', payload: {}, id: 'mine' }
      for (const other of [{ aggregateId: 'b:1' }, { eventType: 'Other' }]) {
        const batch = [event, { ...event, ...other }]
        await expect(context.eventStore.appendMany(batch)).rejects.toMatchObject({ code: 'CONFLICT' })
      }
      expect(await context.eventStore.readAll({})).toEqual([])
      const [first, second] = await context.eventStore.appendMany([event, event])
      expect(second).toEqual(first)
      expect(await context.eventStore.readAll({})).toEqual([first])
    })

    test('a batch takes the transaction id that one of its events brings', async () => {
      const event = { aggregateId: 'a:1', eventType: 'Counted', payload: {} }
      const batch = [event, { ...event, txId: 'mine' }, { ...event, txId: 'own' }, event]
      const events = await context.eventStore.appendMany(batch)
      expect(events.map((each) => each.txId)).toEqual(['mine', 'mine', 'own', 'mine'])
    })

    test('callers at the same time get what is theirs, whatever becomes of the others', async () => {
      const calls = Array.from({ length: 50 }, (_, index) =>
        append('a:1', { id: `event-${index}`, ...(index % 10 === 3 ? { expectedSeq: 0 } : {}) })
      )
      const answers = await Promise.allSettled(calls)
      const kept = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      expect(answers.filter((answer) => answer.status === 'rejected')).toHaveLength(5)
      expect(kept.map((event) => event.seq)).toEqual(kept.map((_, index) => index + 1))
      expect(await context.eventStore.load({ aggregateId: 'a:1' })).toEqual(kept)
    })

    test('readAll walks the log by position and filters', async () => {
      const a = await append('a:1')
      const b = await append('b:1', { eventType: 'Other' })
      const c = await append('a:2')
      const ids = async (args: object) => (await context.eventStore.readAll(args)).map((event) => event.id)
      expect(await ids({})).toEqual([a.id, b.id, c.id])
      expect(await ids({ afterPosition: a.position, limit: 1 })).toEqual([b.id])
      expect(await ids({ aggregateType: 'a' })).toEqual([a.id, c.id])
      expect(await ids({ eventType: 'Other' })).toEqual([b.id])
    })

    test('an event is never changed and never deleted', async () => {
      await append('a:1')
      const change = (sql: string) => context.projectionStore.query({ sql })
      await expect(change(`UPDATE events SET event_type = 'x'`)).rejects.toMatchObject({
        code: 'NOT_ALLOWED'
      })
      await expect(change('DELETE FROM events')).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
      const replace = `INSERT OR REPLACE INTO events SELECT position, id, aggregate_type, aggregate_id, 'Forged', 1, seq,
        tx_id, NULL, '{}', NULL, created_at FROM events`
      await expect(change(replace)).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
      expect(await context.eventStore.load({ aggregateId: 'a:1' })).toMatchObject([
        { eventType: 'TestEvent' }
      ])
    })

    test('what cannot be JSON or is too large is refused by name', async () => {
      const circle: Record<string, unknown> = {}
      circle['self'] = circle
      await expect(append('a:1', { payload: circle })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      for (const text of ['x'.repeat(17 * 1024 * 1024), 'é'.repeat(9 * 1024 * 1024)]) {
        await expect(append('a:1', { payload: { text } })).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          message: expect.stringContaining('Store large data as a blob')
        })
      }
      expect(await context.eventStore.load({ aggregateId: 'a:1' })).toEqual([])
    })

    test('one snapshot an aggregate: the latest, never taken back', async () => {
      const { eventStore } = context
      expect(await eventStore.latestSnapshot({ aggregateId: 'a:1' })).toBeNull()
      await eventStore.saveSnapshot({ aggregateId: 'a:1', lastSeq: 2, state: { total: 2 } })
      await eventStore.saveSnapshot({ aggregateId: 'a:1', lastSeq: 5, state: { total: 5 } })
      await eventStore.saveSnapshot({ aggregateId: 'a:1', lastSeq: 3, state: { total: 3 } })
      expect(await eventStore.latestSnapshot({ aggregateId: 'a:1' })).toMatchObject({
        lastSeq: 5,
        state: { total: 5 }
      })
      await eventStore.saveSnapshot({ aggregateId: 'a:1', lastSeq: 4, state: { sum: 4 }, stateVersion: 2 })
      expect(await eventStore.latestSnapshot({ aggregateId: 'a:1' })).toMatchObject({
        stateVersion: 2,
        lastSeq: 4
      })
    })

    test('any history: no gap in a stream, one order over all, each id once', async () => {
      const step = fc.record({
        stream: fc.constantFrom('a:1', 'a:2', 'b', 'c:x:y'),
        id: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
        isBatch: fc.boolean()
      })
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          run += 1
          const before = (await context.eventStore.readAll({ limit: 100_000 })).at(-1)?.position ?? 0
          const accepted = new Map<string, string>()
          for (const { stream, id, isBatch } of steps) {
            const aggregateId = `${stream}-${run}`
            const named = id === undefined ? {} : { id: `${run}-${aggregateId}-${id}` }
            const event = { aggregateId, eventType: 'Any', payload: {}, ...named }
            const stored = isBatch
              ? await context.eventStore.appendMany([event, { aggregateId, eventType: 'Any', payload: {} }])
              : [await context.eventStore.append(event)]
            for (const each of stored) accepted.set(each.id, each.aggregateId)
          }
          const log = await context.eventStore.readAll({ afterPosition: before, limit: 100_000 })
          expect(new Map(log.map((event) => [event.id, event.aggregateId]))).toEqual(accepted)
          expect(log).toHaveLength(accepted.size)
          for (const stream of new Set(accepted.values())) {
            const seqs = log.filter((event) => event.aggregateId === stream).map((event) => event.seq)
            expect(seqs).toEqual(seqs.map((_, index) => index + 1))
          }
        }),
        { numRuns: 25 }
      )
    })
  })
}
