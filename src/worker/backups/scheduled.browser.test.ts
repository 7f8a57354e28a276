import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { createBackupJobs } from './jobs.ts'
import { openBackupNotes, type BackupNoteStore, type BackupRhythm } from './notes.ts'
import { startScheduledBackups, type ScheduledBackups } from './scheduled.ts'

/** A folder of OPFS is a folder like a chosen one, but that its permission cannot be lost. */
describe('backups into a folder, by themselves', () => {
  let context: DbContext
  let notes: BackupNoteStore
  let folder: FileSystemDirectoryHandle
  let scheduled: ScheduledBackups | null
  let time: number
  let folderName: string
  let count = 0

  beforeEach(async () => {
    time = Date.parse('2026-03-01T08:00:00.000Z')
    context = await openDbContext({ storage: 'memory', now, newId: () => crypto.randomUUID() })
    folderName = `chosen-${Date.now()}-${count++}`
    notes = openBackupNotes(`notes-of-${folderName}`)
    folder = await root().then((at) => at.getDirectoryHandle(folderName, { create: true }))
    scheduled = null
  })
  afterEach(async () => {
    await scheduled?.stop()
    await context.close()
    const at = await root()
    await at.removeEntry(folderName, { recursive: true }).catch(() => undefined)
    indexedDB.deleteDatabase(`notes-of-${folderName}`)
  })

  const root = () => navigator.storage.getDirectory()
  const now = (): string => new Date((time += 1_000)).toISOString()
  const append = () => context.eventStore.append({ aggregateId: 'a:1', eventType: 'T', payload: {} })
  const choose = (rhythm: BackupRhythm, chosen = folder) =>
    notes.change((all) => ({
      ...all,
      schedule: { folder: chosen, rhythm, keep: 2, last: null, problem: null }
    }))
  const start = (isRunning: () => boolean = () => false, patience = 1_000_000): ScheduledBackups => {
    const times = { first: 1, look: 5, idle: 5, patience, retry: 1 }
    scheduled = startScheduledBackups({ context, notes, jobs: createBackupJobs(), now, isRunning, times })
    return scheduled
  }
  const names = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const name of folder.keys()) found.push(name)
    return found.toSorted()
  }
  const problem = async () => (await notes.read()).schedule?.problem ?? null

  test('the first is made at the start, is whole, and is noted', async () => {
    await append()
    await choose({ unit: 'day' })
    start()
    await vi.waitFor(async () => expect((await notes.read()).last).not.toBeNull())
    const { last, schedule } = await notes.read()
    expect(last).toMatchObject({ folderName, logPosition: 1, generation: 0 })
    expect(schedule?.last).toEqual(last)
    expect(await names()).toEqual([last?.fileName])
    const file = await context.backup.latestIn(folder)
    expect(file?.size).toBe(last?.bytes)
    const staged = await context.backup.stage(file ?? new Blob(), {})
    expect(staged.summary).toMatchObject({ events: 1 })
  })

  test('one a day, what is older than the last two goes, and what is not of FlowForge stays', async () => {
    await folder.getFileHandle('mine.sqlite', { create: true })
    await choose({ unit: 'day' })
    start()
    const made: string[] = []
    for (let day = 0; day < 3; day += 1) {
      await append()
      time += 24 * 60 * 60 * 1_000
      await vi.waitFor(async () => {
        const fileName = (await notes.read()).last?.fileName
        expect(fileName).toBeDefined()
        expect(made).not.toContain(fileName)
        made.push(String(fileName))
      })
    }
    await vi.waitFor(async () => expect(await names()).toEqual([...made.slice(1), 'mine.sqlite']))
  })

  test('waits while a run is under way, but not for ever', async () => {
    await choose({ unit: 'events', count: 1 })
    let asked = 0
    start(() => (asked += 1) > 0)
    await vi.waitFor(() => expect(asked).toBeGreaterThan(3))
    expect(await names()).toEqual([])
    await scheduled?.stop()
    start(() => true, 20)
    await vi.waitFor(async () => expect(await names()).toHaveLength(1))
  })

  test('a folder that is gone is said to be, and the next try in it works', async () => {
    await append()
    await (await root()).removeEntry(folderName, { recursive: true })
    await choose({ unit: 'day' })
    const making = start().makeNow()
    await expect(making).rejects.toMatchObject({ code: 'NOT_ALLOWED', details: { reason: 'folder-gone' } })
    expect(await problem()).toMatchObject({ code: 'NOT_ALLOWED', reason: 'folder-gone' })
    folder = await (await root()).getDirectoryHandle(folderName, { create: true })
    await vi.waitFor(async () => expect(await problem()).toBeNull())
    expect(await names()).toHaveLength(1)
  })

  test('a permission that was lost is noted once and not asked for; granted again, it goes on', async () => {
    let state: PermissionState = 'prompt'
    let tries = 0
    Object.defineProperty(folder, 'queryPermission', {
      value: async () => {
        tries += 1
        return state
      }
    })
    // The property does not survive IndexedDB, as no handle's permission does; it is kept beside it here.
    const kept = notes
    notes = {
      read: async () => withFolder(await kept.read()),
      change: async (make) => withFolder(await kept.change((all) => make(withFolder(all))))
    }
    const withFolder = (all: Awaited<ReturnType<BackupNoteStore['read']>>): typeof all => ({
      ...all,
      schedule: all.schedule === null ? null : { ...all.schedule, folder }
    })
    await append()
    await kept.change((all) => ({
      ...all,
      schedule: { folder, rhythm: { unit: 'day' }, keep: 2, last: null, problem: null }
    }))
    start()
    await vi.waitFor(async () => expect(await problem()).toMatchObject({ reason: 'folder-permission' }))
    const first = (await problem())?.at
    const before = tries
    await vi.waitFor(() => expect(tries).toBeGreaterThan(before + 3))
    expect((await problem())?.at).toBe(first)
    state = 'granted'
    await vi.waitFor(async () => expect(await names()).toHaveLength(1))
    await vi.waitFor(async () => expect(await problem()).toBeNull())
  })

  test('looks one after the other, however often it is asked to look', async () => {
    await append()
    await choose({ unit: 'day' })
    let going = 0
    let most = 0
    const { createIn } = context.backup
    const slowly: typeof createIn = async (...args) => {
      going += 1
      most = Math.max(most, going)
      await new Promise((resolve) => setTimeout(resolve, 60))
      return createIn(...args).finally(() => {
        going -= 1
      })
    }
    context = { ...context, backup: { ...context.backup, createIn: slowly } }
    const { look } = start()
    await vi.waitFor(() => expect(going).toBe(1))
    look()
    await vi.waitFor(async () => expect((await notes.read()).last).not.toBeNull())
    await scheduled?.stop()
    expect(most).toBe(1)
    expect(await names()).toHaveLength(1)
  })

  test('a schedule that was taken back makes none', async () => {
    await choose({ unit: 'events', count: 1 })
    await notes.change((all) => ({ ...all, schedule: null }))
    await expect(start().makeNow()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await names()).toEqual([])
  })

  test('one that was made is made, also where an older one cannot be removed; why is said, until it can', async () => {
    await choose({ unit: 'day' })
    start(() => true)
    const make = async (): Promise<string> => {
      await append()
      return (await scheduled?.makeNow())?.fileName ?? ''
    }
    const oldest = await make()
    await make()
    // Another program has it open.
    const writable = await (await folder.getFileHandle(oldest)).createWritable()
    const third = await make()
    expect((await notes.read()).last?.fileName).toBe(third)
    expect(await problem()).toMatchObject({
      message: expect.stringMatching(/older backups.*open in another program/)
    })
    expect(await names()).toContain(oldest)
    await writable.abort()
    const fourth = await make()
    expect(await names()).toEqual([third, fourth])
    expect(await problem()).toBeNull()
  })
})
