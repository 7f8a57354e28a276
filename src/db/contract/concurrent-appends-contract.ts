import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DbContext, NewEvent } from '../ports.ts'
import type { OpenContext } from './store-contract.ts'

const event: fc.Arbitrary<NewEvent> = fc.record(
  {
    aggregateId: fc.constantFrom('a:1', 'a:2', 'b', 'c:x:y'),
    eventType: fc.constantFrom('T', 'T', 'T', 'U'),
    payload: fc.record({ value: fc.integer() }),
    id: fc.integer({ min: 0, max: 12 }).map(String),
    expectedSeq: fc.integer({ min: 0, max: 4 }),
    txId: fc.constant('shared')
  },
  { requiredKeys: ['aggregateId', 'eventType', 'payload'] }
)
/** What callers ask for at once: single events and batches, some of which cannot be. */
const calls = fc.array(fc.array(event, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 })

type Answer = { readonly seqs: readonly (readonly [string, number])[] } | { readonly code: unknown }

const answerOf = async (work: Promise<readonly { aggregateId: string; seq: number }[]>): Promise<Answer> => {
  try {
    return { seqs: (await work).map(({ aggregateId, seq }) => [aggregateId, seq]) }
  } catch (thrown) {
    return { code: thrown instanceof Object ? Reflect.get(thrown, 'code') : thrown }
  }
}

const append = ({ eventStore }: DbContext, batch: readonly NewEvent[]) => {
  const [only] = batch
  return batch.length === 1 && only !== undefined
    ? eventStore.append(only).then((stored) => [stored])
    : eventStore.appendMany(batch)
}

/** What stands in the log, but for what differs between two runs of the same: ids that the store made, and times. */
const logOf = async ({ eventStore }: DbContext) =>
  (await eventStore.readAll({ limit: 1_000 })).map(({ id, txId, aggregateId, eventType, seq, payload }) => ({
    id: id.length < 4 ? id : 'made',
    txId: txId === 'shared' ? txId : 'made',
    aggregateId,
    eventType,
    seq,
    payload
  }))

/** Appends that wait together may share a commit and a statement; nobody may be able to tell. */
export const describeConcurrentAppends = (title: string, open: OpenContext, numRuns = 60): void => {
  describe(`${title}: appends at once`, () => {
    test('answer, and leave in the log, what they do one after the other', async () => {
      await fc.assert(
        fc.asyncProperty(calls, async (batches) => {
          const [together, alone] = [await open(), await open()]
          const atOnce = await Promise.all(batches.map((batch) => answerOf(append(together, batch))))
          const inTurn: Answer[] = []
          // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
          for (const batch of batches) inTurn.push(await answerOf(append(alone, batch)))
          expect(atOnce).toEqual(inTurn)
          expect(await logOf(together)).toEqual(await logOf(alone))
          await together.close()
          await alone.close()
        }),
        { numRuns }
      )
    })

    test('a batch that is refused late leaves nothing, and those behind it are numbered without it', async () => {
      const context = await open()
      const one = (extra: object = {}) => ({ aggregateId: 'a:1', eventType: 'T', payload: {}, ...extra })
      const [first, refused, last] = await Promise.allSettled([
        context.eventStore.append(one()),
        context.eventStore.appendMany([one({ id: 'taken' }), one({ expectedSeq: 7 })]),
        context.eventStore.append(one({ id: 'taken' }))
      ])
      expect(first).toMatchObject({ status: 'fulfilled', value: { seq: 1 } })
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'CONFLICT' } })
      expect(last).toMatchObject({ status: 'fulfilled', value: { seq: 2, id: 'taken' } })
      expect((await context.eventStore.load({ aggregateId: 'a:1' })).map(({ seq }) => seq)).toEqual([1, 2])
      await context.close()
    })

    test('what one caller cannot write is refused to that caller alone', async () => {
      const context = await open()
      const cyclic: Record<string, unknown> = {}
      cyclic['self'] = cyclic
      const settled = await Promise.allSettled(
        [{}, cyclic, {}].map((payload) =>
          context.eventStore.append({ aggregateId: 'a:1', eventType: 'T', payload: { payload } })
        )
      )
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      await context.close()
    })
  })
}
