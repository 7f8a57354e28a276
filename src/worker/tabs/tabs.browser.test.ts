import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDbContext, readSqliteFile } from '../../db/index.ts'
import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import { createDeferred } from '../deferred.ts'
import { openComputeEngine } from '../engine/open-compute-engine.ts'
import { startProgram } from '../program.ts'
import { systemWorld } from '../world.ts'
import type { Build } from './build.ts'
import { hostTabs } from './host.ts'
import { tabName } from './messages.ts'
import { joinTabs, type LeaderNews } from './remote.ts'
import { createSwitchboard, type Switchboard } from './switchboard.ts'
import { toTarget, type LiveQuery, type Target } from './target.ts'

const { newId } = systemWorld
const BUILD: Build = { code: 'this build', schemaVersion: 1, builtAt: '2026-01-02' }

describe('a tab that works through another', () => {
  let context: DbContext
  let target: Target
  let follower: Switchboard
  let ends: (() => void)[]

  beforeEach(async () => {
    context = await openDbContext({ storage: 'memory', ...systemWorld })
    const engine = openComputeEngine({ blobStore: context.blobStore, readSqliteFile })
    const program = await startProgram({ context, engine, world: systemWorld, baseUrl: '/' })
    target = toTarget(program, context)
    follower = createSwitchboard()
    ends = []
  })
  afterEach(async () => {
    for (const end of ends) end()
    await context.close()
  })

  const lead = (leading: Target, build = BUILD): (() => void) => {
    const giveWay = () => ({ isBusy: false })
    const { end } = hostTabs({ target: leading, epoch: newId(), build, giveWay })
    ends.push(end)
    return end
  }
  const join = async (onForeign = (): void => undefined): Promise<void> => {
    const hear = (news: LeaderNews): void => {
      if (news.type === 'leads') follower.attach(news.target)
      if (news.type === 'foreign') onForeign()
    }
    const end = await joinTabs({ tab: newId(), build: BUILD, newId, hear })
    ends.push(() => {
      follower.detach()
      end()
    })
  }
  const ask = (path: string, args: unknown): Promise<unknown> =>
    follower.call({ id: newId(), path: path.split('.'), args }, false)
  const own = (path: string, args: unknown): Promise<unknown> =>
    target.call({ id: newId(), path: path.split('.'), args }, false)
  const rows = (sql: string) => context.projectionStore.query({ sql })

  /** A leader that carries every call out and dies before it answers. */
  const silent = () => {
    const landed: string[] = []
    const leading: Target = {
      ...target,
      call: async (call, mayRepeat) => {
        const path = call.path.join('.')
        await target.call(call, mayRepeat).then(
          () => landed.push(path),
          (thrown: unknown) => landed.push(`${path}: ${String(thrown)}`)
        )
        return new Promise(() => undefined)
      }
    }
    return { leading, landed }
  }

  test('has every command land once that its leader carried out and did not answer', async () => {
    await own('flowforge.sources.importFile', { file: new File(['a,b\n1,2\n'], 'small.csv') })
    const { workflowId } = Object(
      await own('flowforge.workflows.import', {
        format: 'flowforge.workflow/1',
        name: 'Runs',
        nodes: [
          { id: 's', kind: 'source', name: 'S', spec: { dataSource: 'small.csv' } },
          { id: 'out', kind: 'sink', name: 'Out', spec: { format: 'csv', fileName: 'out.csv' } }
        ],
        edges: [{ from: 's', to: 'out' }]
      })
    )
    const event = { aggregateId: 'a:1', eventType: 'T', payload: {} }
    const row = { id: 'p', kind: 'user', name: 'first', created_at: 'now' }
    const calls: [string, unknown][] = [
      ['db.appendEvent', event],
      ['db.appendEvents', { events: [event, event] }],
      ['db.upsertProjection', { table: 'principals', rows: [row] }],
      ['db.putBlob', { key: 'b', data: new Blob(['first']) }],
      ['db.putBlob', { key: 'large', data: new Blob(['first'.repeat(400_000)]) }],
      ['db.saveSnapshot', { aggregateId: 'a:2', lastSeq: 1, state: { by: 'first' } }],
      ['flowforge.workflows.create', { name: 'Made once' }],
      ['flowforge.workflows.describe', { workflowId, description: 'first' }],
      ['flowforge.sources.importFile', { file: new File(['c\n3\n'], 'other.csv') }],
      ['flowforge.runs.start', { workflowId }]
    ]
    const { leading, landed } = silent()
    const die = lead(leading)
    await join()
    const answers = calls.map(([path, args]) => ask(path, args))
    await vi.waitFor(() => expect(landed.toSorted()).toEqual(calls.map(([path]) => path).toSorted()), 45_000)
    // What others do in between must not be undone by a command that comes a second time.
    await own('db.upsertProjection', { table: 'principals', rows: [{ ...row, name: 'second' }] })
    await own('db.putBlob', { key: 'b', data: new Blob(['second']) })
    await own('db.putBlob', { key: 'large', data: new Blob(['second'.repeat(400_000)]) })
    await own('db.saveSnapshot', { aggregateId: 'a:2', lastSeq: 1, state: { by: 'second' } })
    await own('flowforge.workflows.describe', { workflowId, description: 'second' })
    await own('flowforge.sources.rename', {
      dataSourceId: String((await rows(`SELECT id FROM data_sources WHERE name = 'other.csv'`))[0]?.['id']),
      name: 'renamed.csv'
    })
    await own('flowforge.workflows.edit', {
      workflowId,
      changes: [
        { type: 'remove-edge', edge: { from: 's', fromPort: 'out', to: 'out', toPort: 'in' } },
        { type: 'remove-node', nodeId: 's' },
        { type: 'remove-node', nodeId: 'out' }
      ]
    })
    die()
    lead(target)

    const [appended, batch] = await Promise.all(answers)
    expect(appended).toMatchObject({ aggregateId: 'a:1' })
    expect(batch).toHaveLength(2)
    expect(await context.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(3)
    expect(await rows('SELECT name FROM principals')).toEqual([{ name: 'second' }])
    const blob = await context.blobStore.get({ key: 'b' })
    expect(new TextDecoder().decode(blob?.data)).toBe('second')
    const large = await context.blobStore.get({ key: 'large' })
    expect(new TextDecoder().decode(large?.data.subarray(0, 6))).toBe('second')
    expect(await rows('SELECT key FROM blobs WHERE size > 1000000')).toEqual([{ key: 'large' }])
    expect((await context.eventStore.latestSnapshot({ aggregateId: 'a:2' }))?.state).toEqual({ by: 'second' })
    expect(await rows('SELECT name, description FROM workflows ORDER BY name')).toEqual([
      { name: 'Made once', description: null },
      { name: 'Runs', description: 'second' }
    ])
    expect(await rows('SELECT count(*) AS runs FROM runs')).toEqual([{ runs: 1 }])
    expect(await rows('SELECT name FROM data_sources ORDER BY name')).toEqual([
      { name: 'renamed.csv' },
      { name: 'small.csv' }
    ])
    const { runId } = Object(await answers.at(-1))
    expect(await own('flowforge.runs.wait', { runId })).toEqual({ status: 'succeeded' })
  })

  test('a call of the leader’s own page lands once, too, when its worker dies before it has answered', async () => {
    const call = {
      id: newId(),
      path: ['db', 'appendEvent'],
      args: { aggregateId: 'a:1', eventType: 'T', payload: {} }
    }
    const first = await target.call(call, false)
    expect(await target.call(call, true)).toEqual(first)
    expect(await context.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(1)
  })

  test('sends what is unanswered to its own program when it leads itself', async () => {
    const { leading, landed } = silent()
    const die = lead(leading)
    await join()
    const answer = ask('db.appendEvent', { aggregateId: 'a:1', eventType: 'T', payload: {} })
    await vi.waitFor(() => expect(landed).toHaveLength(1))
    die()
    follower.attach(target)
    expect(await answer).toMatchObject({ seq: 1 })
    expect(await context.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(1)
  })

  test('a subscription goes on where its listener was, without a gap or a double', async () => {
    const die = lead(target)
    await join()
    const seen: number[] = []
    const entered = createDeferred<void>()
    const gate = createDeferred<void>()
    follower.subscribe(
      {},
      async ({ events }) => {
        if (events.length > 0 && seen.length === 0) {
          entered.resolve()
          await gate.promise
        }
        seen.push(...events.map(({ seq }) => seq))
      },
      (thrown) => {
        throw thrown
      }
    )
    const append = (count: number) =>
      context.eventStore.appendMany(
        Array.from({ length: count }, () => ({ aggregateId: 'a:1', eventType: 'T', payload: {} }))
      )
    await ask('flowforge.status', undefined)
    await append(3)
    await entered.promise
    // The listener is still busy with the first events when the leader goes.
    die()
    await append(4)
    lead(target)
    await ask('flowforge.status', undefined)
    await append(5)
    gate.resolve()
    await vi.waitFor(() => expect(seen).toEqual(Array.from({ length: 12 }, (_, index) => index + 1)))
  })

  test('does not speak with a leader of another build, and with the next one does', async () => {
    const foreign = vi.fn()
    const end = lead(target, { ...BUILD, code: 'another build' })
    await join(foreign)
    await vi.waitFor(() => expect(foreign).toHaveBeenCalled())
    const answer = ask('flowforge.status', undefined)
    end()
    lead(target)
    expect(await answer).toMatchObject({ role: 'follower' })
  })

  test('a leader that has ended waits for the end of no tab any more', async () => {
    const waiting = async () =>
      ((await navigator.locks.query()).pending ?? []).filter(({ name }) => name?.startsWith(tabName('')))
    const end = lead(target)
    await join()
    await ask('flowforge.status', undefined)
    await vi.waitFor(async () => expect(await waiting()).toHaveLength(1))
    end()
    await vi.waitFor(async () => expect(await waiting()).toEqual([]))
  })

  test('where nobody will answer, calls and followers are told why', async () => {
    const error = new FlowForgeError('STORAGE_UNAVAILABLE', 'No storage.')
    const query: LiveQuery = { sql: 'SELECT 1' }
    const told = vi.fn()
    const failed = vi.fn()
    follower.liveQuery(query, told)
    follower.subscribe({}, told, failed)
    const early = ask('flowforge.status', undefined)
    follower.refuse(error)
    follower.liveQuery(query, told)
    follower.subscribe({}, told, failed)
    await expect(early).rejects.toBe(error)
    await expect(ask('flowforge.status', undefined)).rejects.toBe(error)
    expect(told.mock.calls).toEqual(
      [1, 2].map(() => [{ error: { code: 'STORAGE_UNAVAILABLE', message: 'No storage.' } }])
    )
    expect(failed.mock.calls).toEqual([[error], [error]])
  })
})
