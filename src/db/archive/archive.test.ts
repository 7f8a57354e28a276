import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryExportFiles } from '../backup/export-files.ts'
import type { FileStore } from '../blobs/file-store.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { testWorld } from '../contract/store-contract.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import type { DbContext, Event } from '../ports.ts'
import { openMemoryFiles } from '../sqlite/open-database.ts'
import { openContextIn, type StoragePlace } from '../sqlite/sqlite-context.ts'

const never = (): Promise<never> => new Promise(() => undefined)
const text = new TextDecoder()

/** A file store in memory whose files a test can reach, and whose steps it can make fail or hang. */
const openFiles = () => {
  const names = new Set<string>()
  const broken = new Map<string, Blob | null>()
  const store = memoryFileStore()
  const hooks: Partial<Record<'stage' | 'keep' | 'open', () => Promise<unknown>>> = {}
  const files: FileStore = {
    ...store,
    stage: async (stream) => {
      await hooks.stage?.()
      const staged = await store.stage(stream)
      return {
        ...staged,
        keep: async () => {
          await hooks.keep?.()
          await staged.keep()
          names.add(staged.name)
        }
      }
    },
    open: async (name) => {
      await hooks.open?.()
      return broken.has(name) ? (broken.get(name) ?? null) : store.open(name)
    },
    remove: async (name) => {
      await store.remove(name)
      names.delete(name)
    },
    sweep: async (named) => {
      await store.sweep(named)
      for (const name of names) if (!named.has(name)) names.delete(name)
    }
  }
  return { files, names, broken, hooks, store }
}

const world = testWorld()
let place: StoragePlace
let disk: ReturnType<typeof openFiles>
let context: DbContext
let end: () => void

const open = () => openContextIn(place, { storage: 'memory', ...world })
beforeEach(async () => {
  const databases = await openMemoryFiles()
  end = databases.close
  disk = openFiles()
  place = {
    databases: { ...databases, close: () => undefined },
    blobs: disk.files,
    exports: memoryExportFiles()
  }
  context = await open()
})
afterEach(async () => {
  await context.close()
  end()
})
const reopen = async (): Promise<void> => {
  await context.close()
  context = await open()
}

const append = (aggregateId: string, extra: object = {}) =>
  context.eventStore.append({
    aggregateId,
    eventType: 'Noted',
    payload: { text: `é ${aggregateId}` },
    ...extra
  })
const readAll = (args: object = {}) => context.eventStore.readAll({ limit: 100_000, ...args })
const query = (sql: string) => context.projectionStore.query({ sql })
const inTable = async (): Promise<number> =>
  Number((await query('SELECT count(*) AS n FROM events'))[0]?.['n'])
const move = (...aggregateIds: string[]) => context.archive.move({ aggregateIds })
/** Three streams of some events each, and one event behind them. */
const fill = async (): Promise<Event[]> => {
  for (let round = 0; round < 4; round += 1) {
    for (const id of ['run:1', 'run:2', 'run:3']) await append(id, { id: `${id}/${round}` })
  }
  await append('workflow:w')
  return readAll()
}
const expectSame = async (events: readonly Event[]): Promise<void> => {
  expect(await readAll()).toEqual(events)
  expect(JSON.parse(text.decode(await context.eventStore.readAllBytes({ limit: 100_000 })))).toEqual(events)
  for (const aggregateId of new Set(events.map((event) => event.aggregateId))) {
    const own = events.filter((event) => event.aggregateId === aggregateId)
    expect(await context.eventStore.load({ aggregateId })).toEqual(own)
    expect(JSON.parse(text.decode(await context.eventStore.loadBytes({ aggregateId })))).toEqual(own)
  }
}

describe('what is archived', () => {
  test('leaves the table for one file, and is read as before, also after a reopening', async () => {
    const before = await fill()
    const segments = await move('run:1', 'run:2')
    expect(segments).toMatchObject([
      { place: 'storage', events: 8, streams: 2, firstPosition: 1, lastPosition: 11 }
    ])
    expect(await inTable()).toBe(5)
    expect(await context.archive.list()).toEqual(segments)
    expect([...disk.names]).toEqual([segments[0]?.fileName])
    await expectSame(before)
    await reopen()
    await expectSame(before)
    expect((await context.facts()).logPosition).toBe(13)
  })

  test('is a gzip file that any tool reads: a line that names the columns, and a line an event', async () => {
    await fill()
    const [segment] = await move('run:3')
    const file = await disk.store.open(String(segment?.fileName))
    const lines = (
      await new Response(file?.stream().pipeThrough(new DecompressionStream('gzip'))).text()
    ).split('\n')
    expect(JSON.parse(String(lines[0]))).toMatchObject({ format: 'flowforge.segment/1' })
    expect(JSON.parse(String(lines[1]))).toEqual(
      expect.arrayContaining([3, 'run:3/0', 'run', 'run:3', '{"text":"é run:3"}'])
    )
    expect(lines).toHaveLength(6)
  })

  test('never takes the log’s newest event along', async () => {
    await append('run:1')
    await append('run:1')
    await move('run:1')
    expect(await inTable()).toBe(1)
    expect(await query('SELECT max(position) AS head FROM events')).toEqual([{ head: 2 }])
    expect((await readAll()).map(({ seq }) => seq)).toEqual([1, 2])
    expect(await move('run:1')).toEqual([])
    await expect(query('DELETE FROM events')).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
  })

  test('is appended to: seqs go on, an expected seq is checked, and an id stands for its event', async () => {
    const before = await fill()
    await move('run:1', 'run:2', 'run:3')
    await expect(append('run:1', { expectedSeq: 0 })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { actualSeq: 4 }
    })
    expect(await append('run:1', { id: 'run:1/2' })).toEqual(before.find(({ id }) => id === 'run:1/2'))
    await expect(append('run:2', { id: 'run:1/2' })).rejects.toMatchObject({ code: 'CONFLICT' })
    const next = await append('run:1', { expectedSeq: 4 })
    expect(next).toMatchObject({ seq: 5, position: 14 })
    await expectSame([...before, next])
    const many = await context.eventStore.appendMany([
      { aggregateId: 'run:2', eventType: 'Noted', payload: {}, id: 'run:2/0' },
      { aggregateId: 'run:2', eventType: 'Noted', payload: {} },
      { aggregateId: 'run:3', eventType: 'Noted', payload: {} }
    ])
    expect(many.map(({ seq }) => seq)).toEqual([1, 5, 5])
  })

  test('is read inside a transaction as part of it', async () => {
    const before = await fill()
    await move('run:1')
    await context.tx.runInTransaction(async () => {
      expect(await context.eventStore.load({ aggregateId: 'run:1' })).toHaveLength(4)
      // Were it no part of the transaction any more, this would wait for its end, and so for itself.
      await context.eventStore.append({ aggregateId: 'run:1', eventType: 'Noted', payload: {} })
      expect(
        await context.eventStore.append({
          aggregateId: 'run:1',
          eventType: 'Noted',
          payload: {},
          id: 'run:1/0'
        })
      ).toEqual(before[0])
      expect(await context.eventStore.load({ aggregateId: 'run:1' })).toHaveLength(5)
    })
  })

  test('stays in the hash chain', async () => {
    await fill()
    await move('run:1', 'run:3')
    expect(await context.log.verify()).toMatchObject({ isIntact: true, sealedEvents: 13 })
  })

  test('is cut into segments of whole streams, and a long stream into several', async () => {
    const of = (aggregateId: string, count: number) =>
      context.eventStore.appendMany(
        Array.from({ length: count }, (_, n) => ({ aggregateId, eventType: 'N', payload: { n } }))
      )
    await of('run:a', 2_500)
    await of('run:b', 2_500)
    await of('run:long', 5_000)
    await append('workflow:w')
    const before = await readAll()
    const told: number[] = []
    const segments = await context.archive.move({
      aggregateIds: ['run:a', 'run:b', 'run:long'],
      onProgress: ({ doneEvents }) => told.push(doneEvents)
    })
    expect(segments.map(({ events }) => events)).toEqual([2_500, 2_500, 4_000, 1_000])
    expect(told).toEqual([0, 2_500, 5_000, 9_000])
    await expectSame(before)
    expect(
      (await context.eventStore.load({ aggregateId: 'run:long', afterSeq: 3_998, limit: 4 })).map(
        ({ seq }) => seq
      )
    ).toEqual([3_999, 4_000, 4_001, 4_002])
  }, 60_000)

  test('is asked about by nobody while there is nothing', async () => {
    const asked = async () =>
      (
        await query(
          `SELECT sql FROM sqlite_stmt WHERE sql LIKE '%archived\\_%' ESCAPE '\\' AND sql NOT LIKE '%sqlite_stmt%'`
        )
      ).length
    await fill()
    await append('run:1', { id: 'run:1/0' })
    await expectSame(await readAll())
    expect(await asked()).toBe(0)
    await move('run:1')
    await append('run:2', { id: 'run:1/9' })
    expect(await asked()).toBeGreaterThan(0)
  })

  test('is found in the index of the log by the same ways as in the table', async () => {
    const planOf = async (where: string) =>
      (await query(`EXPLAIN QUERY PLAN SELECT 1 FROM log_index WHERE ${where}`)).map(({ detail }) =>
        String(detail)
      )
    for (const where of [`id = 'x'`, 'position > 7']) {
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      const plan = await planOf(where)
      expect(plan.filter((line) => line.includes('SCAN'))).toEqual([])
      expect(plan.filter((line) => line.includes('SEARCH'))).toHaveLength(2)
    }
  })

  test('gives back about as much room as was said', async () => {
    const id = () => crypto.randomUUID()
    await context.eventStore.appendMany(
      Array.from({ length: 3_000 }, (_, n) => ({
        id: id(),
        aggregateId: `run:${Math.floor(n / 30)}`,
        eventType: 'RunStepSucceeded',
        payload: { stepId: id(), nodeId: 'n', stats: { rowsIn: n, rowsOut: n, bytes: null, ms: 12 } },
        metadata: { correlation_id: id() }
      }))
    )
    await append('workflow:w')
    const free = async (): Promise<number> => {
      const [row] = await query(
        'SELECT freelist_count * page_size AS n FROM pragma_freelist_count, pragma_page_size'
      )
      return Number(row?.['n'])
    }
    const aggregateIds = Array.from({ length: 100 }, (_, n) => `run:${n}`)
    await context.log.seal()
    const measured = await context.archive.measure({ aggregateIds })
    expect(measured).toMatchObject({ streams: 100, events: 3_000 })
    const before = await free()
    await context.archive.move({ aggregateIds })
    const given = (await free()) - before
    expect(given / measured.bytes).toBeGreaterThan(0.6)
    expect(given / measured.bytes).toBeLessThan(1.6)
  })
})

describe('what was archived comes back', () => {
  test('as it was, and its file goes', async () => {
    const before = await fill()
    const [segment] = await move('run:1', 'run:2')
    const segmentId = segment?.id ?? 0
    await context.archive.bringBack({ segmentId })
    expect(await inTable()).toBe(13)
    await expectSame(before)
    expect([...disk.names]).toEqual([])
    expect(await query('SELECT * FROM archived_events')).toEqual([])
    expect(await context.log.verify()).toMatchObject({ isIntact: true })
    // A call that was sent again.
    await context.archive.bringBack({ segmentId })
    await expect(context.archive.bringBack({ segmentId: 99 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await move('run:1')).toHaveLength(1)
    await expectSame(before)
  })

  test('nobody lets an archived event go by other ways', async () => {
    await fill()
    await move('run:1')
    for (const sql of [
      'DELETE FROM archived_events',
      'DELETE FROM archive_segments',
      'UPDATE archived_events SET id = 1',
      `UPDATE archive_segments SET sha256 = 'x'`,
      `INSERT INTO archived_events VALUES (2, 'run:2/0', 99, 'run', 'Noted')`,
      `INSERT INTO archived_events VALUES (2, 'other', 1, 'run', 'Noted')`,
      'DELETE FROM events WHERE position = 2'
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one statement after the other
      await expect(query(sql)).rejects.toMatchObject({
        code: expect.stringMatching('NOT_ALLOWED|INVALID_INPUT')
      })
    }
    for (const table of ['archived_events', 'archive_segments', 'archived_streams']) {
      // oxlint-disable-next-line no-await-in-loop -- the same
      await expect(context.projectionStore.truncate({ table })).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
    }
  })
})

describe('for any history', () => {
  type Step =
    | { readonly what: 'append'; readonly stream: string; readonly id: number | undefined }
    | { readonly what: 'archive'; readonly streams: readonly string[] }
    | { readonly what: 'bring back'; readonly which: number }
    | { readonly what: 'reopen' }
  const stream = fc.constantFrom('a:1', 'a:2', 'b', 'c:x\0"y')
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constant('append' as const),
        stream,
        id: fc.option(fc.nat(8), { nil: undefined })
      })
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('archive' as const), streams: fc.array(stream) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('bring back' as const), which: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.constant({ what: 'reopen' as const }) }
  )

  test('every answer is that of a store which archives nothing', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        run += 1
        const plain = await openContextIn(
          { databases: await openMemoryFiles(), blobs: memoryFileStore(), exports: memoryExportFiles() },
          { storage: 'memory', ...world }
        )
        const from = (await context.facts()).logPosition
        const both = async (ask: (store: DbContext['eventStore'], after: number) => Promise<unknown>) => {
          const settle = (work: Promise<unknown>) =>
            work.then(
              (value) => ({ value }),
              (thrown: unknown) => ({ code: thrown instanceof FlowForgeError ? thrown.code : thrown })
            )
          expect(await settle(ask(context.eventStore, from))).toEqual(await settle(ask(plain.eventStore, 0)))
        }
        const simple = ({ id: _id, position: _position, txId: _txId, createdAt: _at, ...event }: Event) =>
          event
        const own = (id: string): string => `${id}-${run}`
        for (const each of steps) {
          switch (each.what) {
            case 'append':
              // oxlint-disable-next-line no-await-in-loop -- a history has an order
              await both(async (store) =>
                simple(
                  await store.append({
                    aggregateId: own(each.stream),
                    eventType: each.stream === 'b' ? 'B' : 'A',
                    payload: { n: each.id ?? null },
                    ...(each.id === undefined ? {} : { id: own(String(each.id)) })
                  })
                )
              )
              break
            case 'archive':
              // oxlint-disable-next-line no-await-in-loop -- the same
              await move(...each.streams.map(own))
              break
            case 'bring back': {
              // oxlint-disable-next-line no-await-in-loop -- the same
              const segment = (await context.archive.list())[each.which]
              // oxlint-disable-next-line no-await-in-loop -- the same
              if (segment !== undefined) await context.archive.bringBack({ segmentId: segment.id })
              break
            }
            case 'reopen':
              // oxlint-disable-next-line no-await-in-loop -- the same
              await reopen()
          }
        }
        const asked = [
          {},
          { limit: 3 },
          { eventType: 'B' },
          { aggregateType: 'a', limit: 2 },
          { eventTypes: ['A'], upTo: 7 }
        ]
        for (const { upTo, ...args } of asked.map((each) => ({ upTo: undefined, ...each }))) {
          const window = (after: number) => ({
            ...args,
            afterPosition: after + 1,
            ...(upTo === undefined ? {} : { upToPosition: after + upTo })
          })
          // oxlint-disable-next-line no-await-in-loop -- one question after the other
          await both(async (store, after) => (await store.readAll(window(after))).map(simple))
          // oxlint-disable-next-line no-await-in-loop -- the same
          await both(async (store, after) =>
            (JSON.parse(text.decode(await store.readAllBytes(window(after)))) as Event[]).map(simple)
          )
        }
        for (const id of ['a:1', 'a:2', 'b', 'c:x\0"y']) {
          for (const args of [{}, { afterSeq: 2 }, { afterSeq: 1, limit: 2 }]) {
            // oxlint-disable-next-line no-await-in-loop -- the same
            await both(async (store) => (await store.load({ aggregateId: own(id), ...args })).map(simple))
          }
        }
        expect(await context.log.verify()).toMatchObject({ isIntact: true })
        await plain.close()
      }),
      { numRuns: 40 }
    )
  }, 120_000)

  test('readers never see a moment without an event, whatever is moved meanwhile', async () => {
    const before = await fill()
    let isOver = false
    const reading = (async () => {
      let count = 0
      while (!isOver) {
        // oxlint-disable-next-line no-await-in-loop -- again and again is the point
        const [events, bytes, own] = await Promise.all([
          readAll(),
          context.eventStore.readAllBytes({}),
          context.eventStore.load({ aggregateId: 'run:2' })
        ])
        expect(events).toEqual(before)
        expect(JSON.parse(text.decode(bytes))).toEqual(before)
        expect(own).toHaveLength(4)
        count += 1
        // Turns come by messages, and would leave none to the compression.
        // oxlint-disable-next-line no-await-in-loop -- see above
        await new Promise((resolve) => setTimeout(resolve))
      }
      return count
    })()
    for (let round = 0; round < 8; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- to and fro
      const [segment] = await move('run:1', 'run:2')
      // oxlint-disable-next-line no-await-in-loop -- the same
      await context.archive.bringBack({ segmentId: segment?.id ?? 0 })
    }
    isOver = true
    expect(await reading).toBeGreaterThan(5)
  })
})

test('who asks at the very moment of the first move gets all of it', async () => {
  const before = await fill()
  const asked: Promise<readonly Event[]>[] = []
  const stop = context.onCommit(({ tables }) => {
    if (!tables.has('archive_segments')) return
    asked.push(readAll(), context.eventStore.load({ aggregateId: 'run:1' }))
  })
  const [segment] = await move('run:1')
  await context.archive.bringBack({ segmentId: segment?.id ?? 0 })
  stop()
  expect((await Promise.all(asked)).map(({ length }) => length)).toEqual([before.length, 4, before.length, 4])
})

describe('a segment that is damaged', () => {
  const damages: [string, (file: Blob) => Promise<Blob | null>][] = [
    ['gone', async () => null],
    ['cut off', async (file) => file.slice(0, file.size - 10)],
    [
      'changed by a bit',
      async (file) => {
        const bytes = new Uint8Array(await file.arrayBuffer())
        bytes.set([(bytes[40] ?? 0) ^ 1], 40)
        return new Blob([bytes])
      }
    ],
    [
      'changed where it makes no difference to what is in it',
      async (file) => {
        // The system that a gzip file was made on.
        const bytes = new Uint8Array(await file.arrayBuffer())
        bytes.set([(bytes[9] ?? 0) ^ 1], 9)
        return new Blob([bytes])
      }
    ],
    ['another file', async (file) => new Blob([new Uint8Array(file.size)])]
  ]

  test.each(damages)('%s: is named with what is in it, and everything else works', async (_what, damage) => {
    const before = await fill()
    const [first] = await move('run:1')
    const [second] = await move('run:2')
    await reopen()
    const name = String(first?.fileName)
    const file = await disk.store.open(name)
    disk.broken.set(name, file === null ? null : await damage(file))

    const named = {
      code: 'CORRUPT',
      message: expect.stringMatching(new RegExp(`${name}.*positions 1 to 10.*run:1.*Restore a backup`)),
      details: { fileName: name, streams: ['run:1'], segmentId: first?.id }
    }
    await expect(context.eventStore.load({ aggregateId: 'run:1' })).rejects.toMatchObject(named)
    await expect(readAll()).rejects.toMatchObject(named)
    await expect(context.eventStore.readAllBytes({})).rejects.toMatchObject(named)
    await expect(append('run:1', { id: 'run:1/0' })).rejects.toMatchObject(named)
    await expect(context.archive.bringBack({ segmentId: first?.id ?? 0 })).rejects.toMatchObject(named)
    expect(await context.archive.verify({})).toMatchObject([{ segmentId: first?.id, fileName: name }])
    expect(await context.archive.verify({ segmentId: second?.id })).toEqual([])
    expect((await context.health.check()).findings).toMatchObject([
      { table: 'archive_segments', message: expect.stringContaining(name) }
    ])
    expect((await context.log.verify()).findings).toMatchObject([
      { kind: 'unreadable', message: expect.stringContaining(name) }
    ])

    expect(await context.eventStore.load({ aggregateId: 'run:2' })).toHaveLength(4)
    expect(await readAll({ afterPosition: 10 })).toEqual(before.slice(10))
    expect(await append('run:1', { expectedSeq: 4 })).toMatchObject({ seq: 5 })
    // A batch in which one event cannot be answered for leaves nothing.
    const batch = [
      { aggregateId: 'run:4', eventType: 'Noted', payload: {} },
      { aggregateId: 'run:1', eventType: 'Noted', payload: {}, id: 'run:1/0' }
    ]
    await expect(context.eventStore.appendMany(batch)).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(await context.eventStore.load({ aggregateId: 'run:4' })).toEqual([])
    disk.broken.clear()
    expect((await readAll()).slice(0, 13)).toEqual(before)
  })
})

describe('a move that does not end', () => {
  const steps = ['stage', 'keep', 'open'] as const

  test.each(steps)(
    'cut off at %s by a crash: all events are in the table, and no file is left',
    async (step) => {
      const before = await fill()
      await new Promise<void>((reached) => {
        disk.hooks[step] = () => {
          reached()
          return never()
        }
        void move('run:1', 'run:2')
      })
      // The crash: nothing of the old context goes on, and storage is opened again.
      delete disk.hooks[step]
      context = await open()
      expect(await inTable()).toBe(13)
      expect([...disk.names]).toEqual([])
      await expectSame(before)
      expect(await move('run:1', 'run:2')).toHaveLength(1)
      await expectSame(before)
    }
  )

  test.each(steps)('without room at %s: everything is as it was, and the next one works', async (step) => {
    const before = await fill()
    disk.hooks[step] = () => Promise.reject(new FlowForgeError('STORAGE_FULL', 'The storage is full.'))
    await expect(move('run:1', 'run:2')).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    delete disk.hooks[step]
    expect(await inTable()).toBe(13)
    expect(await context.archive.list()).toEqual([])
    await expectSame(before)
    await context.blobStore.remove({ key: 'none' })
    expect([...disk.names]).toEqual([])
    expect(await move('run:1', 'run:2')).toHaveLength(1)
    await expectSame(before)
  })

  test('without room in the database: the same', async () => {
    const before = await fill()
    await context.log.seal()
    const [row] = await query('PRAGMA page_count')
    const pages = Number(row?.['page_count'])
    await context.eventStore.appendMany(
      Array.from({ length: 3_000 }, (_, n) => ({
        id: `${'x'.repeat(200)}${n}`,
        aggregateId: 'run:4',
        eventType: 'N',
        payload: {}
      }))
    )
    await append('workflow:w')
    const all = await readAll()
    await context.log.seal()
    const [full] = await query('PRAGMA page_count')
    await query(`PRAGMA max_page_count = ${Number(full?.['page_count'])}`)
    await expect(move('run:4')).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect(await inTable()).toBe(all.length)
    expect(await context.archive.list()).toEqual([])
    await context.blobStore.remove({ key: 'none' })
    expect([...disk.names]).toEqual([])
    await query('PRAGMA max_page_count = 100000')
    expect(await move('run:4')).toHaveLength(1)
    await expectSame(all)
    expect(pages).toBeGreaterThan(0)
    expect(all.slice(0, before.length)).toEqual(before)
  })

  test('a file that reads back as another one takes nobody’s place', async () => {
    const before = await fill()
    const opened = disk.files.open
    Object.assign(disk.files, { open: async () => new Blob(['not what was written']) })
    await expect(move('run:1')).rejects.toThrow('bytes')
    Object.assign(disk.files, { open: opened })
    expect(await inTable()).toBe(13)
    await expectSame(before)
  })

  test('one job at a time', async () => {
    await fill()
    const first = move('run:1')
    await expect(move('run:2')).rejects.toMatchObject({ code: 'CONFLICT' })
    await first
  })
})

describe('a backup', () => {
  test('has the segments in it, and brings them back', async () => {
    const before = await fill()
    await move('run:1', 'run:2')
    const { file, summary } = await context.backup.create({})
    expect(summary).toMatchObject({ events: 13, missing: [] })
    const [segment] = await context.archive.list()
    await context.archive.bringBack({ segmentId: segment?.id ?? 0 })
    await append('run:9')
    const { id } = await context.backup.stage(file, {})
    await context.backup.restore(id, () => undefined, {})
    await reopen()
    expect(await context.archive.list()).toEqual([segment])
    await expectSame(before)
    await context.backup.undoRestore(() => undefined)
    await reopen()
    expect(await readAll()).toHaveLength(14)
  })

  test('of before keeps the segments that it needs, although they are brought back now', async () => {
    const before = await fill()
    await move('run:1', 'run:2')
    const { file } = await context.backup.create({})
    const { id } = await context.backup.stage(file, {})
    await context.backup.restore(id, () => undefined, {})
    await reopen()
    const [segment] = await context.archive.list()
    await context.archive.bringBack({ segmentId: segment?.id ?? 0 })
    await expectSame(before)
    // What was there before the restore names the same file.
    expect([...disk.names]).toEqual([segment?.fileName])
    await context.backup.undoRestore(() => undefined)
    await reopen()
    await expectSame(before)
  })

  test('without one of its segments says so, and is refused where one was changed', async () => {
    await fill()
    const [segment] = await move('run:1')
    disk.broken.set(String(segment?.fileName), null)
    const { file, summary } = await context.backup.create({})
    expect(summary.missing).toEqual([segment?.fileName])
    await context.backup.stage(file, {})
  })
})

test('a check that reads segments through ends with the storage’s closing, and not with the last of them', async () => {
  for (const id of ['a:1', 'a:2', 'a:3', 'a:4']) {
    await append(id)
    await append('b:1')
    await context.archive.move({ aggregateIds: [id] })
  }
  let opens = 0
  let closing: Promise<void> | undefined
  disk.hooks.open = async () => {
    opens += 1
    closing ??= context.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await expect(context.health.check()).rejects.toMatchObject({ code: 'CANCELED' })
  await closing
  expect(opens).toBe(1)
  delete disk.hooks.open
  context = await open()
})
