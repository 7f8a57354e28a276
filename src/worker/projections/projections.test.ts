import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext, Event } from '../../db/ports.ts'
import type { Projection } from '../../workflow/aggregate.ts'
import { systemWorld } from '../world.ts'
import { createDirectWrites } from './direct-writes.ts'
import { startProjections, type Projections } from './projections.ts'
import { WINDOW } from './replay.ts'

/** Notes what runs logged as datasets, whose table nobody else writes here; what is called "poison" cannot be. */
const noting = (over: Partial<Projection> = {}): Projection => ({
  name: 'notes',
  version: 1,
  mode: 'async',
  tables: ['datasets'],
  hears: ['RunLogged'],
  project: ({ payload, createdAt }) => {
    const { logId, message } = { logId: '', message: '', ...payload }
    if (message === 'poison') throw new Error('This cannot be noted.')
    return [
      {
        op: 'upsert',
        table: 'datasets',
        rows: [{ id: logId, name: logId, format: message, created_at: createdAt }]
      }
    ]
  },
  ...over
})
/** A busy machine may take its time over two thousand transactions. */
const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 15_000 })

/** Another one that hears the same. */
const other = noting({
  name: 'other',
  tables: ['principals'],
  project: ({ payload, createdAt }) => {
    const { logId } = { logId: '', ...payload }
    return [
      {
        op: 'upsert',
        table: 'principals',
        rows: [{ id: logId, kind: 'user', name: logId, created_at: createdAt }]
      }
    ]
  }
})

describe('projections', () => {
  let context: DbContext
  let started: Projections[]
  beforeEach(async () => {
    vi.spyOn(console, 'warn').mockReturnValue()
    context = await openDbContext({ storage: 'memory', ...systemWorld })
    started = []
  })
  afterEach(async () => {
    await Promise.all(started.map((each) => each.stop()))
    await context.close()
    vi.restoreAllMocks()
  })

  const waits: number[] = []
  const start = async (...definitions: Projection[]): Promise<Projections> => {
    waits.length = 0
    const projections = await startProjections({
      context,
      definitions,
      world: systemWorld,
      wait: (ms) => {
        waits.push(ms)
        return Promise.resolve()
      }
    })
    started.push(projections)
    return projections
  }
  const append = (...messages: string[]): Promise<Event[]> =>
    context.eventStore.appendMany(
      messages.map((message) => ({
        aggregateId: 'run:r',
        eventType: 'RunLogged',
        payload: { logId: systemWorld.newId(), level: 'info', message }
      }))
    )
  const query = (sql: string) => context.projectionStore.query({ sql })
  const notes = async () =>
    (await query('SELECT format FROM datasets ORDER BY rowid')).map((row) => row['format'])
  const many = (count: number, what = 'm'): string[] => Array.from({ length: count }, (_, n) => `${what}${n}`)
  const stateOf = async (projections: Projections, name = 'notes') =>
    (await projections.list()).find((each) => each.name === name)
  /** As when the worker dies: what is committed stays. */
  const die = async (projections: Projections): Promise<void> => projections.stop()

  test('an async one follows what is appended, and goes on after its checkpoint when it starts again', async () => {
    await append('a')
    const first = await start(noting())
    await append('b', 'c')
    await first.settled()
    expect(await notes()).toEqual(['a', 'b', 'c'])
    await die(first)
    await query('DELETE FROM datasets')
    await append('d')
    const second = await start(noting())
    await second.settled()
    expect(await notes()).toEqual(['d'])
    expect(await stateOf(second)).toMatchObject({ state: 'running', lag: 0, position: 4 })
  })

  test('rows and checkpoint of a batch commit together or not at all', async () => {
    await append(...many(3))
    // The checkpoint is refused, once the rows of the batch are in.
    await query(`CREATE TRIGGER no_checkpoint BEFORE INSERT ON projection_checkpoints
      BEGIN SELECT RAISE(ABORT, 'no'); END`)
    const projections = await start(noting())
    await projections.settled()
    await eventually(async () => expect(await stateOf(projections)).toMatchObject({ state: 'parked' }))
    expect(await notes()).toEqual([])
  })

  test('pause holds it, also over a restart, and shows its lag; resume lets it catch up', async () => {
    const first = await start(noting(), other)
    await first.pause('notes')
    await append('a', 'b')
    await first.settled()
    expect(await stateOf(first)).toMatchObject({ state: 'paused', lag: 2 })
    expect(await query('SELECT count(*) AS n FROM principals')).toEqual([{ n: 2 }])
    await die(first)
    const second = await start(noting(), other)
    await second.settled()
    expect(await notes()).toEqual([])
    await expect(second.rebuild('notes')).rejects.toMatchObject({ code: 'CONFLICT' })
    await second.rebuild()
    expect(await notes()).toEqual([])
    await second.resume('notes')
    await second.settled()
    expect(await notes()).toEqual(['a', 'b'])
    await expect((await start(noting({ mode: 'inline' }))).pause('notes')).rejects.toMatchObject({
      code: 'NOT_ALLOWED'
    })
  })

  describe('an event that cannot be projected', () => {
    test('is tried again, then parks its projection alone, until a person skips it on record', async () => {
      const projections = await start(noting(), other)
      const [, poison] = await append('a', 'poison', 'b')
      await eventually(async () => {
        await projections.settled()
        expect(await stateOf(projections)).toMatchObject({
          state: 'parked',
          lag: 2,
          position: 1,
          parked: {
            eventId: poison?.id,
            position: 2,
            error: 'This cannot be noted.',
            attempts: 3,
            eventType: 'RunLogged'
          }
        })
      })
      expect(waits.filter((ms) => ms > 100)).toEqual([200, 1_000])
      expect(await notes()).toEqual(['a'])
      expect(await stateOf(projections, 'other')).toMatchObject({ state: 'running', lag: 0 })

      const skip = (eventId: string) => projections.skip({ name: 'notes', eventId, by: 'Ada' })
      await expect(skip('another')).rejects.toMatchObject({ code: 'CONFLICT' })
      await skip(poison?.id ?? '')
      await projections.settled()
      expect(await notes()).toEqual(['a', 'b'])
      expect(await stateOf(projections)).toMatchObject({
        state: 'running',
        skips: [{ eventId: poison?.id, position: 2, by: 'Ada', error: 'This cannot be noted.', version: 1 }]
      })
      await skip(poison?.id ?? '')
      expect((await stateOf(projections))?.skips).toHaveLength(1)

      // What a person has said holds for a rebuild, after a restart too.
      await die(projections)
      const next = await start(noting(), other)
      await next.rebuild()
      expect(await notes()).toEqual(['a', 'b'])
    })

    test('is tried again at a person’s word, and passes when the cause is gone', async () => {
      const broken = await start(noting())
      await append('a', 'poison', 'b')
      await eventually(async () => expect(await stateOf(broken)).toMatchObject({ state: 'parked' }))
      await broken.retry('notes')
      await eventually(async () => expect(await stateOf(broken)).toMatchObject({ state: 'parked' }))
      await die(broken)
      const mended = await start(noting({ project: other.project, tables: other.tables }))
      expect(await stateOf(mended)).toMatchObject({ state: 'parked' })
      await mended.retry('notes')
      await mended.settled()
      expect(await stateOf(mended)).toMatchObject({ state: 'running', lag: 0, parked: null })
      expect(await query('SELECT count(*) AS n FROM principals')).toEqual([{ n: 2 }])
    })

    test('parks a rebuild too, which goes on when it is skipped; a later version tries it again', async () => {
      await append(...many(WINDOW + 10), 'poison', 'b')
      const old = await start(noting())
      await eventually(async () => expect(await stateOf(old)).toMatchObject({ state: 'parked' }))
      await old.skip({ name: 'notes', eventId: (await stateOf(old))?.parked?.eventId ?? '', by: 'Ada' })
      await old.settled()
      const rows = await notes()
      await die(old)
      const grown = await start(noting({ version: 2 }))
      await eventually(async () =>
        expect(await stateOf(grown)).toMatchObject({ state: 'parked', progress: { version: 2 } })
      )
      expect(await notes()).toEqual(rows)
      await grown.skip({ name: 'notes', eventId: (await stateOf(grown))?.parked?.eventId ?? '', by: 'Ada' })
      await grown.settled()
      expect(await stateOf(grown)).toMatchObject({ state: 'running', progress: null })
      expect(await notes()).toEqual(rows)
    })
  })

  describe('a rebuild', () => {
    const shouting = noting({
      version: 2,
      project: (event) =>
        noting()
          .project(event)
          .map((change) =>
            change.op === 'upsert'
              ? {
                  ...change,
                  rows: change.rows.map((row) => ({ ...row, format: String(row['format']).toUpperCase() }))
                }
              : change
          )
    })

    /** When the first window of the log is in the copies. */
    const firstWindow = (): Promise<void> =>
      new Promise((resolve) => {
        const stop = context.onCommit(({ tables }) => {
          if (!tables.has('datasets__next')) return
          stop()
          resolve()
        })
      })

    test('begins by itself when the version grows; the old rows are served until the new ones are whole', async () => {
      await append(...many(3 * WINDOW))
      const old = await start(noting())
      await old.settled()
      await die(old)
      const seen = new Set<unknown>()
      const stop = context.onCommit(async () => {
        for (const row of await query(
          'SELECT count(*) AS n, min(substr(format, 1, 1)) AS f, max(substr(format, 1, 1)) AS g FROM datasets'
        ))
          seen.add(`${String(row['n'])} ${String(row['f'])}${String(row['g'])}`)
      })
      const grown = await start(shouting)
      expect(await stateOf(grown)).toMatchObject({
        state: 'rebuilding',
        progress: { version: 2, head: 3 * WINDOW }
      })
      await grown.settled()
      stop()
      expect(await notes()).toEqual(many(3 * WINDOW, 'M'))
      expect([...seen]).toEqual([`${3 * WINDOW} mm`, `${3 * WINDOW} MM`])
      expect(await query(`SELECT version FROM projection_checkpoints WHERE projection = 'notes'`)).toEqual([
        { version: 2 }
      ])
      expect(await query(`SELECT name FROM sqlite_schema WHERE name LIKE '%__next'`)).toEqual([])
    })

    test('that was cut off goes on where its copies are', async () => {
      await append(...many(4 * WINDOW))
      const first = await start(noting())
      await first.settled()
      await die(first)
      const reached = firstWindow()
      const cutOff = await start(shouting)
      await reached
      await die(cutOff)
      const [left] = await query(
        `SELECT rebuild_position AS p FROM projection_states WHERE projection = 'notes'`
      )
      expect(await query('SELECT count(*) AS n FROM datasets__next')).toEqual([{ n: left?.['p'] }])
      const read = vi.spyOn(context.eventStore, 'readAllBytes')
      const next = await start(shouting)
      await next.settled()
      expect(read.mock.calls[0]?.[0].afterPosition).toBe(left?.['p'])
      expect(await notes()).toEqual(many(4 * WINDOW, 'M'))
    })

    test('takes in what is appended and written while it goes on', async () => {
      const directWrites = createDirectWrites([noting()], systemWorld.now)
      await append(...many(3 * WINDOW))
      const projections = await start(noting())
      await projections.settled()
      const reached = firstWindow()
      const rebuilding = projections.rebuild('notes')
      await reached
      await append('while')
      await directWrites.upsert(context, {
        table: 'datasets',
        rows: [{ id: 'own', name: 'own', format: 'own', created_at: 'now' }]
      })
      await rebuilding
      await projections.settled()
      expect((await notes()).toSorted()).toEqual([...many(3 * WINDOW), 'own', 'while'].toSorted())
    })

    test('puts rows and checkpoint in place together or not at all', async () => {
      await append('a')
      const old = await start(noting())
      await old.settled()
      await die(old)
      await query(`CREATE TRIGGER no_checkpoint BEFORE INSERT ON projection_checkpoints WHEN NEW.version = 2
        BEGIN SELECT RAISE(ABORT, 'no'); END`)
      const grown = await start(shouting)
      await grown.settled()
      expect(await stateOf(grown)).toMatchObject({ state: 'parked' })
      expect(await notes()).toEqual(['a'])
    })

    test('whose rows do not fit leaves the old ones, and says so', async () => {
      await append('a', 'b')
      const old = await start(noting())
      await old.settled()
      await die(old)
      const twins = noting({
        version: 2,
        project: (event) =>
          noting()
            .project(event)
            .map((change) =>
              change.op === 'upsert'
                ? { ...change, rows: change.rows.map((row) => ({ ...row, name: 'same' })) }
                : change
            )
      })
      const grown = await start(twins)
      await grown.settled()
      expect(await stateOf(grown)).toMatchObject({
        state: 'parked',
        parked: { eventId: null, error: expect.stringContaining('do not fit') }
      })
      expect(await notes()).toEqual(['a', 'b'])
      await expect(
        start(noting({ version: 3 })).then((next) => next.rebuild('notes'))
      ).resolves.toBeUndefined()
      expect(await notes()).toEqual(['a', 'b'])
    })
  })

  test('a new inline one is filled from the log that is there', async () => {
    await append('a', 'b')
    const projections = await start(noting({ mode: 'inline' }))
    await projections.settled()
    expect(await notes()).toEqual(['a', 'b'])
  })

  test('a name that is none is refused with those that are', async () => {
    await expect((await start(noting())).rebuild('nobody')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('notes')
    })
  })
})
