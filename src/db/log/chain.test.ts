import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { testWorld } from '../contract/store-contract.ts'
import type { ChainReport } from '../log-port.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import type { EventStorePort } from '../ports.ts'
import { createEventStore } from '../sqlite/event-store.ts'
import { openMemoryDatabase } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { createTransactions, type Transactions } from '../sqlite/transactions.ts'
import { EVENT_COLUMNS } from './event-rows.ts'
import { createChainHashes } from './chain-hashes.ts'
import { sealBlock, type Step } from './seal-block.ts'
import { createSealing, type Sealing } from './sealing.ts'
import { verifyChain } from './verify-chain.ts'

const world = testWorld()

let database: SqliteDatabase
let transactions: Transactions
let store: EventStorePort
let sealing: Sealing
beforeEach(async () => {
  database = await openMemoryDatabase()
  await migrate(database, MIGRATIONS, world.now)
  transactions = createTransactions(database)
  store = createEventStore(database, transactions, world, null)
  sealing = createSealing(database, transactions, world.now, 5)
})
afterEach(async () => {
  await sealing.stop()
  await transactions.close()
  database.close()
})

const append = (count: number, extra: object = {}) =>
  store.appendMany(
    Array.from({ length: count }, (_, index) => ({
      aggregateId: `a:${index % 3}`,
      eventType: 'T',
      payload: { index, ...extra },
      metadata: { by: 'me' },
      causedByEventId: 'cause'
    }))
  )
/** Does what nobody can do through the doors: somebody with another program and the file. */
const tamper = (sql: string, ...params: (string | number)[]): void => {
  const triggers = database.allOnce(`SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`)
  for (const { name } of triggers) database.script(`DROP TRIGGER ${String(name)}`)
  database.allOnce(sql, params)
  for (const trigger of triggers) database.script(String(trigger['sql']))
}
const seals = () => database.allOnce('SELECT * FROM log_seals ORDER BY last_position')
/** Seals of ten events each. */
const sealedLog = async (blocks: number): Promise<void> => {
  for (let block = 0; block < blocks; block += 1) {
    await append(10)
    await sealing.sealAll()
  }
}
const expectFirst = (report: ChainReport, finding: object): void => {
  expect(report.isIntact).toBe(false)
  expect(report.findings[0]).toMatchObject(finding)
}

describe('a log that nobody touched', () => {
  test('is intact, and its tail is told apart', async () => {
    await sealedLog(3)
    await append(4)
    expect(await verifyChain(database)).toEqual({
      isIntact: true,
      findings: [],
      seals: 3,
      sealedEvents: 30,
      unsealedEvents: 4,
      headSha256: seals().at(-1)?.['sha256']
    })
  })

  test('is intact when it is empty', async () => {
    expect(await verifyChain(database)).toMatchObject({ isIntact: true, seals: 0, headSha256: null })
    expect(await sealing.sealAll()).toMatchObject({ seals: 0, sealedAt: null })
  })

  test('is intact whatever stands in its events', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ noUnicodeString: false })),
        async (payload) => {
          await store.append({ aggregateId: 'b:😀"\\', eventType: 'U', payload, metadata: payload })
          await sealing.sealAll()
          expect((await verifyChain(database)).findings).toEqual([])
        }
      ),
      { numRuns: 30 }
    )
  })

  test('tells how far its check has come', async () => {
    await sealedLog(3)
    const told: number[] = []
    await verifyChain(database, { onProgress: ({ checkedEvents }) => told.push(checkedEvents) })
    expect(told).toEqual([10, 20, 30])
  })
})

describe('a log that somebody changed', () => {
  const forged: Record<(typeof EVENT_COLUMNS)[number], string | number> = {
    position: 1_000,
    id: 'forged',
    aggregate_type: 'forged',
    aggregate_id: 'forged',
    event_type: 'forged',
    event_version: 2,
    seq: 77,
    tx_id: 'forged',
    caused_by_event_id: 'forged',
    payload_json: '{"index":"forged"}',
    metadata_json: '{"by":"forged"}',
    created_at: 'forged'
  }

  test.each(EVENT_COLUMNS.filter((column) => column !== 'position'))(
    'names the event whose %s is another',
    async (column) => {
      await sealedLog(3)
      tamper(`UPDATE events SET ${column} = ? WHERE position = 15`, forged[column])
      const report = await verifyChain(database)
      expectFirst(report, { kind: 'changed-event', position: 15, sealedUpTo: 20 })
      expect(report.findings).toHaveLength(1)
    }
  )

  test('a column is told from its neighbour, and nothing from an empty text', async () => {
    await store.append({ aggregateId: 'ab', eventType: 'c', payload: {} })
    await sealing.sealAll()
    tamper(`UPDATE events SET aggregate_id = 'a', event_type = 'bc'`)
    expectFirst(await verifyChain(database), { kind: 'changed-event', position: 1 })
    tamper(`UPDATE events SET aggregate_id = 'ab', event_type = 'c', caused_by_event_id = ''`)
    expectFirst(await verifyChain(database), { kind: 'changed-event', position: 1 })
    tamper(`UPDATE events SET caused_by_event_id = NULL`)
    expect(await verifyChain(database)).toMatchObject({ isIntact: true })
  })

  test.each([
    ['first', 11, 10, 12],
    ['middle', 15, 14, 16],
    ['last', 20, 19, null]
  ])('names where the %s event of a seal is missing', async (_which, position, after, before) => {
    await sealedLog(3)
    tamper(`DELETE FROM events WHERE position = ?`, position)
    const report = await verifyChain(database)
    expectFirst(report, { kind: 'missing-event', after, before, sealedUpTo: 20 })
    expect(report.findings).toHaveLength(1)
  })

  test('names several that are missing side by side as missing', async () => {
    await sealedLog(2)
    tamper(`DELETE FROM events WHERE position BETWEEN 4 AND 6`)
    expectFirst(await verifyChain(database), { kind: 'missing-event', after: 3, before: 7 })
  })

  test('names an event that was moved to another position', async () => {
    await sealedLog(2)
    tamper(`UPDATE events SET position = 1000 WHERE position = 5`)
    expectFirst(await verifyChain(database), { kind: 'missing-event', after: 4, before: 6 })
  })

  test('names an event that was put in between, also where two seals meet', async () => {
    await append(2)
    tamper(`UPDATE sqlite_sequence SET seq = 10 WHERE name = 'events'`)
    await append(2)
    await sealing.sealAll()
    tamper(`UPDATE sqlite_sequence SET seq = 20 WHERE name = 'events'`)
    await append(2)
    await sealing.sealAll()
    const insert = `INSERT INTO events (position, id, aggregate_type, aggregate_id, event_type, seq, tx_id, payload_json, created_at)
      VALUES (?, 'new', 'x', 'x:1', 'T', 1, 't', '{}', 'now')`
    for (const [position, sealedUpTo] of [
      [5, 12],
      [15, 22]
    ] as const) {
      tamper(insert, position)
      expectFirst(await verifyChain(database), {
        kind: 'inserted-event',
        position,
        eventId: 'new',
        sealedUpTo
      })
      tamper(`DELETE FROM events WHERE id = 'new'`)
    }
    expect(await verifyChain(database)).toMatchObject({ isIntact: true })
  })

  test('names a seal that is another: its hashes, its link, its bounds, its time', async () => {
    await sealedLog(3)
    const [, second] = seals()
    for (const change of [
      'event_hashes = zeroblob(320)',
      `sealed_at = 'later'`,
      'first_position = first_position - 1',
      `sha256 = 'forged'`,
      'previous_sha256 = NULL'
    ]) {
      tamper(`UPDATE log_seals SET ${change} WHERE last_position = 20`)
      expectFirst(await verifyChain(database), { kind: 'changed-seal', sealedUpTo: 20 })
      tamper('DELETE FROM log_seals WHERE last_position = 20')
      const names = Object.keys(second ?? {})
      database.allOnce(
        `INSERT INTO log_seals (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
        names.map((name) => second?.[name] as string)
      )
      expect(await verifyChain(database)).toMatchObject({ isIntact: true })
    }
  })

  test('an event that is forged with a seal made to fit breaks the link of the next', async () => {
    await sealedLog(3)
    const rest = seals().slice(2)
    tamper(`UPDATE events SET payload_json = '{"forged":true}' WHERE position = 15`)
    tamper('DELETE FROM log_seals WHERE last_position > 10')
    tamper(`CREATE TEMP TABLE held AS SELECT * FROM events WHERE position > 20`)
    tamper(`DELETE FROM events WHERE position > 20`)
    await sealing.sealAll()
    tamper(`INSERT INTO events SELECT * FROM held`)
    for (const seal of rest) {
      const names = Object.keys(seal)
      database.allOnce(
        `INSERT INTO log_seals (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
        names.map((name) => seal[name] as string)
      )
    }
    const report = await verifyChain(database)
    expectFirst(report, { kind: 'broken-link', sealedUpTo: 30 })
    expect(report.findings).toHaveLength(1)
  })

  test('a seal that was taken out breaks the link of the next', async () => {
    await sealedLog(3)
    tamper('DELETE FROM log_seals WHERE last_position = 20')
    expectFirst(await verifyChain(database), { kind: 'broken-link', sealedUpTo: 30 })
  })
})

describe('sealing', () => {
  test('cuts the log into blocks of a thousand events', async () => {
    await append(2_300)
    await sealing.sealAll()
    expect(seals().map((seal) => seal['event_count'])).toEqual([1_000, 1_000, 300])
    expect(await verifyChain(database)).toMatchObject({ isIntact: true, sealedEvents: 2_300 })
  })

  test('makes a block shorter where events are large, and never empty', async () => {
    const text = 'x'.repeat(3 * 1024 * 1024)
    for (let count = 0; count < 3; count += 1) {
      await store.append({ aggregateId: 'a:1', eventType: 'T', payload: { text: text + text } })
    }
    await append(5)
    await sealing.sealAll()
    expect(seals().map((seal) => seal['event_count'])).toEqual([1, 1, 1, 5])
  })

  test('follows the log by itself, and takes a short tail along when it rests', async () => {
    await append(2_300)
    await vi.waitFor(
      () => expect(seals().map((seal) => seal['event_count'])).toEqual([1_000, 1_000, 300]),
      5_000
    )
    await append(3)
    await vi.waitFor(() => expect(seals()).toHaveLength(4), 5_000)
    expect(await verifyChain(database)).toMatchObject({ isIntact: true, unsealedEvents: 0 })
  })

  test('lets others append between two blocks', async () => {
    await append(5_000)
    const order: string[] = []
    const appended = new Promise<void>((resolve) => {
      const stop = transactions.onCommit(({ tables }) => {
        if (!tables.has('log_seals')) return
        stop()
        void append(1).then(() => resolve(void order.push('appended')))
      })
    })
    const sealed = sealing.sealAll().then(() => order.push('sealed'))
    await appended
    await sealed
    expect(order).toEqual(['appended', 'sealed'])
    expect(await verifyChain(database)).toMatchObject({
      isIntact: true,
      sealedEvents: 5_000,
      unsealedEvents: 1
    })
  })

  describe('a block', () => {
    const sealWith = async (step: Step) =>
      sealBlock(database, { step, hashes: await createChainHashes(), now: world.now, upTo: 1_000 })

    test('is sealed in small steps, between which others append', async () => {
      await append(1_000)
      let steps = 0
      const sealed = await sealWith(async (writes, work) => {
        steps += 1
        const value = await transactions.perform(null, writes, work)
        await append(1)
        return value
      })
      expect(sealed).toBe(1_000)
      expect(steps).toBeGreaterThanOrEqual(12)
      expect(await verifyChain(database)).toMatchObject({
        isIntact: true,
        sealedEvents: 1_000,
        unsealedEvents: steps
      })
    })

    test.each([0, 1, 5, 11])('that is not wanted any more after %i steps is not sealed', async (wanted) => {
      await append(1_000)
      let steps = 0
      const step: Step = async (writes, work) => {
        if (steps === wanted) return null
        steps += 1
        return transactions.perform(null, writes, work)
      }
      expect(await sealWith(step)).toBeNull()
      expect(seals()).toEqual([])
    })
  })

  test('whoever wants the whole log sealed does not wait for the background', async () => {
    await append(8_000)
    await vi.waitFor(() => expect(seals().length).toBeGreaterThan(0), 5_000)
    expect(await sealing.sealAll()).toMatchObject({ sealedEvents: 8_000, unsealedEvents: 0 })
    expect(await verifyChain(database)).toMatchObject({ isIntact: true, sealedEvents: 8_000 })
  })

  test('a seal is never changed and never deleted', async () => {
    await sealedLog(1)
    expect(() => database.allOnce('DELETE FROM log_seals')).toThrow('never deleted')
    expect(() => database.allOnce(`UPDATE log_seals SET sealed_at = 'x'`)).toThrow('never changed')
  })
})
