import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext, Event } from '../db/ports.ts'
import type { LogBatch } from './api.ts'
import { createDeferred } from './deferred.ts'
import { followEvents, type SubscriptionArgs } from './subscriptions.ts'
import { systemWorld } from './world.ts'

describe('a subscription', () => {
  let context: DbContext
  beforeEach(async () => {
    context = await openDbContext({ storage: 'memory', ...systemWorld })
  })
  afterEach(() => context.close())

  const append = (count: number, aggregateId = 'a:1', eventType = 'T') =>
    context.eventStore.appendMany(
      Array.from({ length: count }, (_, index) => ({ aggregateId, eventType, payload: { index } }))
    )
  const fail = (thrown: unknown): void => {
    throw thrown
  }
  const follow = (args: SubscriptionArgs) => {
    const seen: Event[] = []
    const end = followEvents(context, args, ({ events }) => seen.push(...events), fail)
    return { seen, end }
  }
  const all = () => context.eventStore.readAll({ limit: 100_000 })

  test('hands on what is stored and what comes meanwhile, in order, without a gap or a double', async () => {
    await append(1_200)
    const { seen, end } = follow({ afterPosition: 0 })
    for (let count = 0; count < 200; count += 1) await append(1, `b:${count % 7}`)
    await Promise.all(Array.from({ length: 50 }, () => append(3, 'c:1')))
    await vi.waitFor(() => expect(seen).toHaveLength(1_550))
    expect(seen).toEqual(await all())
    end()
  })

  test('starts with what comes from now on where no position is given', async () => {
    await append(3)
    const { seen, end } = follow({})
    // Its start is read from the log before this append.
    await context.facts()
    await append(2)
    await vi.waitFor(() => expect(seen).toHaveLength(2))
    expect(seen.map(({ seq }) => seq)).toEqual([4, 5])
    end()
  })

  test('lets through what its filters ask for, also where much else comes between', async () => {
    await append(700, 'a:1')
    await append(1, 'b:1', 'U')
    const { seen, end } = follow({ afterPosition: 0, aggregateType: 'b', eventType: 'U' })
    await append(700, 'a:1')
    await append(2, 'b:1', 'T')
    await append(600, 'b:2', 'U')
    await vi.waitFor(() => expect(seen).toHaveLength(601))
    expect(seen).toEqual((await all()).filter((event) => event.eventType === 'U'))
    end()
  })

  test('waits for a slow listener before it reads on', async () => {
    await append(1_001)
    const sizes: number[] = []
    const gates = [createDeferred<void>(), createDeferred<void>()]
    const end = followEvents(
      context,
      { afterPosition: 0 },
      ({ events }) => {
        if (events.length === 0) return undefined
        sizes.push(events.length)
        return gates[sizes.length - 1]?.promise
      },
      fail
    )
    await vi.waitFor(() => expect(sizes).toEqual([500]))
    await append(10)
    await context.facts()
    expect(sizes).toEqual([500])
    gates[0]?.resolve()
    await vi.waitFor(() => expect(sizes).toEqual([500, 500]))
    gates[1]?.resolve()
    await vi.waitFor(() => expect(sizes).toEqual([500, 500, 11]))
    end()
  })

  test('hears nothing more once it is ended', async () => {
    const { seen, end } = follow({ afterPosition: 0 })
    await append(1)
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    end()
    await append(5)
    await context.facts()
    expect(seen).toHaveLength(1)
  })

  test('a listener that throws ends it, and says why', async () => {
    const failures: unknown[] = []
    let calls = 0
    followEvents(
      context,
      { afterPosition: 0 },
      ({ events }) => {
        if (events.length === 0) return
        calls += 1
        throw new Error('too much')
      },
      (thrown) => failures.push(thrown)
    )
    await append(1)
    await vi.waitFor(() => expect(failures).toEqual([new Error('too much')]))
    await append(1)
    await context.facts()
    expect(calls).toBe(1)
  })

  test('that was begun in another history ends with CONFLICT, whether or not it has heard an event', async () => {
    await append(3)
    const begun: LogBatch[] = []
    const end = followEvents(context, { afterPosition: 3 }, (batch) => void begun.push(batch), fail)
    await vi.waitFor(() => expect(begun).toEqual([{ events: [], position: 3, generation: 0 }]))
    end()
    const restored: DbContext = {
      ...context,
      backup: { ...context.backup, place: () => ({ generation: 1, problem: null }) }
    }
    const told: unknown[] = []
    followEvents(
      restored,
      { afterPosition: 3, generation: begun[0]?.generation },
      (batch) => told.push(batch),
      (thrown) => told.push(thrown)
    )
    await vi.waitFor(() => expect(told).toHaveLength(1))
    expect(told[0]).toMatchObject({ code: 'CONFLICT', details: { reason: 'history-replaced' } })
  })

  test('an append that is rolled back is not handed on', async () => {
    const { seen, end } = follow({ afterPosition: 0 })
    const failing = context.tx.runInTransaction(async (tx) => {
      await tx.eventStore.append({ aggregateId: 'a:1', eventType: 'T', payload: {} })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await append(1, 'b:1')
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    expect(seen[0]?.aggregateId).toBe('b:1')
    end()
  })
})
