import { wrap, type Remote } from 'comlink'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Boot } from '../api.ts'
import { STORAGE_LOCK, holdLock, type Release } from '../locks.ts'
import type { Build } from './build.ts'
import { leaderName, toEpoch } from './messages.ts'
import type { TestTab } from './take-part.test-worker.ts'

const OLD: Build = { code: 'old', schemaVersion: 1, builtAt: '2026-01-01T00:00:00.000Z' }
const NEW: Build = { code: 'new', schemaVersion: 1, builtAt: '2026-01-02T00:00:00.000Z' }
/** Built before, but of a later schema. */
const NEWEST: Build = { code: 'newest', schemaVersion: 2, builtAt: '2025-01-01T00:00:00.000Z' }
const LONG = 60_000

type Tab = Remote<TestTab> & { readonly kill: () => void }
const ends: (() => void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) end()
  await vi.waitFor(async () => {
    const { held = [] } = await navigator.locks.query()
    expect(held.filter(({ name }) => name?.startsWith('flowforge'))).toEqual([])
  })
})

const openTab = async (
  build: Build,
  { patienceMs = LONG, opensAtOnce = true }: { patienceMs?: number; opensAtOnce?: boolean } = {}
): Promise<Tab> => {
  const worker = new Worker(new URL('./take-part.test-worker.ts', import.meta.url), { type: 'module' })
  const kill = (): void => worker.terminate()
  ends.push(kill)
  const remote = wrap<TestTab>(worker)
  await remote.start({ build, patienceMs, opensAtOnce })
  return Object.assign(Object.create(null), {
    call: remote.call,
    finish: remote.finish,
    boots: remote.boots,
    kill
  }) as Tab
}
const stateOf = async (tab: Tab): Promise<Boot['state'] | undefined> => (await tab.boots()).at(-1)?.state
const becomes = (tab: Tab, state: Boot['state']) =>
  vi.waitFor(async () => expect(await stateOf(tab)).toBe(state), { timeout: 10_000 })

const hold = async (name: string): Promise<Release> => {
  const release = await holdLock(name)
  ends.push(release)
  return release
}

describe('a tab of a newer build', () => {
  test.each([NEW, NEWEST])(
    'takes over from an older one, which first answers what it was asked',
    async (build) => {
      const first = await openTab(OLD)
      await becomes(first, 'ready')
      const second = await openTab(OLD)
      await becomes(second, 'ready')
      const asked = [first.call('long'), second.call('long')]
      const newer = await openTab(build)
      await vi.waitFor(async () => expect(await stateOf(newer)).toBe('starting'))
      expect(await second.call('short').then(() => true)).toBe(true)
      await first.finish('call')
      expect(await Promise.all(asked)).toEqual(['old', 'old'])
      await becomes(newer, 'ready')
      expect(await newer.call('short')).toBe(build.code)
      // The second had waited for longer, and must not open what a newer build is about to change.
      await becomes(first, 'outdated')
      await becomes(second, 'outdated')
      await expect(second.call('short')).rejects.toThrow(/Reload/)
      await expect(first.call('short')).rejects.toThrow(/Reload/)
    }
  )

  test('waits for the run that the older one carries out, and says so', async () => {
    const older = await openTab(OLD)
    await older.call('run')
    const newer = await openTab(NEW)
    await becomes(newer, 'run-elsewhere')
    const waits = newer.call('short')
    expect(await older.call('short')).toBe('old')
    await older.finish('run')
    await becomes(newer, 'ready')
    expect(await waits).toBe('new')
    await becomes(older, 'outdated')
  })

  test('leads at once when the older one dies over its run', async () => {
    const older = await openTab(OLD)
    await older.call('run')
    const newer = await openTab(NEW)
    await becomes(newer, 'run-elsewhere')
    older.kill()
    await becomes(newer, 'ready')
  })

  test('is followed by none that is older, also when it has gone', async () => {
    const newer = await openTab(NEW)
    await becomes(newer, 'ready')
    const older = await openTab(OLD)
    await becomes(older, 'outdated')
    newer.kill()
    const next = await openTab(NEW)
    await becomes(next, 'ready')
    expect(await stateOf(older)).toBe('outdated')
  })
})

describe('a tab that nobody answers', () => {
  test('says so, and since when the other leads, and goes on when it is answered', async () => {
    const since = '2026-01-01T12:00:00.000Z'
    const releases = [await hold(leaderName(toEpoch(since, 'stuck'))), await hold(STORAGE_LOCK)]
    const tab = await openTab(NEW, { patienceMs: 20 })
    await becomes(tab, 'no-answer')
    expect((await tab.boots()).at(-1)).toEqual({ state: 'no-answer', since })
    const waits = tab.call('short')
    for (const release of releases) release()
    await becomes(tab, 'ready')
    expect(await waits).toBe('new')
  })

  test('says so of one that had answered and hangs, and goes on where it was when that answers again', async () => {
    const leader = await openTab(NEW)
    await becomes(leader, 'ready')
    const follower = await openTab(NEW, { patienceMs: 50 })
    await becomes(follower, 'ready')
    // One that nobody asks anything is not silent: it answers each pulse.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect((await follower.boots()).map(({ state }) => state)).not.toContain('no-answer')
    const hung = leader.call('hang')
    const waits = follower.call('short')
    await becomes(follower, 'no-answer')
    expect((await follower.boots()).at(-1)).toMatchObject({ since: expect.any(String) })
    expect([await hung, await waits]).toEqual(['new', 'new'])
    await becomes(follower, 'ready')
  })

  test('says so of one that hangs for ever, and leads when that is ended', async () => {
    const leader = await openTab(NEW)
    await becomes(leader, 'ready')
    const follower = await openTab(NEW, { patienceMs: 50 })
    await becomes(follower, 'ready')
    void leader.call('long')
    const waits = [follower.call('long'), follower.call('short')]
    void leader.call('hang')
    await becomes(follower, 'no-answer')
    leader.kill()
    await follower.finish('call')
    expect(await Promise.all(waits)).toEqual(['new', 'new'])
    await becomes(follower, 'ready')
  })

  test('says so of one that does not come to an end with opening, as that one does of itself', async () => {
    const leader = await openTab(NEW, { patienceMs: 20, opensAtOnce: false })
    await becomes(leader, 'slow')
    const follower = await openTab(NEW, { patienceMs: 20 })
    await becomes(follower, 'no-answer')
    await leader.finish('opening')
    await becomes(leader, 'ready')
    await becomes(follower, 'ready')
  })

  test('says so when the next leader hangs, though the last one had answered', async () => {
    const first = await openTab(NEW)
    await becomes(first, 'ready')
    const second = await openTab(NEW, { opensAtOnce: false })
    await becomes(second, 'ready')
    const third = await openTab(NEW, { patienceMs: 20 })
    await becomes(third, 'ready')
    first.kill()
    await becomes(third, 'no-answer')
    const waits = third.call('short')
    await second.finish('opening')
    await becomes(third, 'ready')
    expect(await waits).toBe('new')
  })
})
