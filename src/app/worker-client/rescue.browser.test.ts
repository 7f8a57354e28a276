import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Boot, SalvageProgress } from '../../worker/api.ts'
import { STORAGE_LOCK, holdLock } from '../../worker/locks.ts'
import { createWorkerClient, type WorkerClient } from '../worker-client.ts'

/** FlowForge's own worker over the storage of this origin, and the page's end of it. */
type Tab = { readonly client: WorkerClient; readonly boots: Boot[]; readonly end: () => Promise<void> }

const POOL_HEADER = 4_096
const PAGE = 8_192
const tabs: Tab[] = []
const eventually = <T>(work: () => T | Promise<T>): Promise<T> => vi.waitFor(work, { timeout: 20_000 })

const openTab = (): Tab => {
  let sleep = (): void => undefined
  const client = createWorkerClient(
    () => new Worker(new URL('../../worker/main.ts', import.meta.url), { type: 'module', name: 'flowforge' }),
    { onSleep: (hears) => (sleep = hears.sleep) }
  )
  const boots: Boot[] = []
  client.onBoot((boot) => boots.push(boot))
  const end = async (): Promise<void> => {
    sleep()
    // A worker that is busy is ended by force, after a while.
    await eventually(async () => {
      const { held = [] } = await navigator.locks.query()
      expect(held.filter(({ name }) => name === STORAGE_LOCK)).toEqual([])
    })
  }
  const tab = { client, boots, end }
  tabs.push(tab)
  return tab
}
const becomes = ({ boots }: Tab, state: Boot['state']) =>
  eventually(() => expect(boots.at(-1)?.state).toBe(state))

const empty = async (): Promise<void> => {
  await Promise.all(tabs.splice(0).map(({ end }) => end()))
  const root = await navigator.storage.getDirectory()
  const names: string[] = []
  for await (const name of root.keys()) if (name.startsWith('flowforge-db')) names.push(name)
  await eventually(() => Promise.all(names.map((name) => root.removeEntry(name, { recursive: true }))))
}
beforeEach(empty, 60_000)
afterEach(empty, 60_000)

/** Writes zeros over the database's file, and over the header of its write-ahead log, while nobody has them open. */
const damage = async (
  places: (size: number) => readonly { at: number; bytes: number }[],
  database = '/flowforge.db'
): Promise<void> => {
  const zero = async (
    handle: FileSystemFileHandle,
    ranges: readonly { at: number; bytes: number }[]
  ): Promise<void> => {
    const writable = await handle.createWritable({ keepExistingData: true })
    for (const { at, bytes } of ranges) {
      const write = { type: 'write', position: POOL_HEADER + at, data: new Uint8Array(bytes) } as const
      // oxlint-disable-next-line no-await-in-loop -- one stream
      await writable.write(write)
    }
    await writable.close()
  }
  const pool = await (await navigator.storage.getDirectory()).getDirectoryHandle('flowforge-db')
  for await (const folder of pool.values()) {
    if (!(folder instanceof FileSystemDirectoryHandle)) continue
    for await (const handle of folder.values()) {
      if (!(handle instanceof FileSystemFileHandle)) continue
      const file = await handle.getFile()
      const name = (await file.slice(0, 512).text()).replace(/\0.*$/s, '')
      if (name === `${database}-wal`) await zero(handle, [{ at: 0, bytes: 32 }])
      if (name === database) await zero(handle, places(file.size - POOL_HEADER))
    }
  }
}

const EVENTS = 600
/** A workflow and events beside it, all in the database's file; answers where a table begins in it. */
const fill = async (table = 'schema_migrations'): Promise<number> => {
  const first = openTab()
  await first.client.flowforge.workflows.create({ name: 'Mine' })
  const event = { aggregateId: 'note:1', eventType: 'Noted', payload: { text: 'x'.repeat(2_000) } }
  await first.client.db.appendEvents({ events: Array.from({ length: EVENTS }, () => event) })
  await first.end()
  // Opening writes back what stands in the write-ahead log.
  const second = openTab()
  const [row] = await second.client.db.queryProjection({
    sql: 'SELECT rootpage FROM sqlite_schema WHERE name = ?',
    params: [table]
  })
  await second.end()
  return (Number(row?.['rootpage']) - 1) * PAGE
}
const names = async ({ client }: Tab): Promise<unknown[]> => {
  const rows = await client.db.queryProjection({ sql: 'SELECT name FROM workflows' })
  return rows.map(({ name }) => name)
}

describe('a storage whose file is damaged does not open, and is rescued', () => {
  test('by a salvage where its header is destroyed: all of it is there again', async () => {
    await fill()
    await eventually(() => damage(() => [{ at: 0, bytes: 100 }]))
    const tab = openTab()
    await becomes(tab, 'failed')
    expect(tab.boots.at(-1)).toMatchObject({ code: 'CORRUPT' })
    await expect(tab.client.flowforge.status()).rejects.toMatchObject({ code: 'CORRUPT' })
    const [copy] = await tab.client.rescue.copies()
    expect(copy).toMatchObject({ file: '/flowforge.db', kind: 'current' })
    const saved = await tab.client.rescue.save({ file: '/flowforge.db' })
    expect(saved.size).toBe(copy?.bytes)
    expect(new Uint8Array(await saved.slice(0, 4).arrayBuffer())).toEqual(new Uint8Array(4))

    const heard: SalvageProgress[] = []
    const report = await tab.client.rescue.salvage((progress) => heard.push(progress))
    expect(report).toMatchObject({ isHeaderRebuilt: true, holes: [], chain: [] })
    expect(heard.length).toBeGreaterThan(report.tables.length - 1)
    await tab.end()
    const after = openTab()
    expect(await after.client.db.loadEvents({ aggregateId: 'note:1' })).toHaveLength(EVENTS)
    await eventually(async () => expect(await names(after)).toEqual(['Mine']))
  })

  test('by a salvage where pages in its middle are overwritten: the rest is there, its read models made anew', async () => {
    const record = await fill()
    await eventually(() =>
      damage((size) => [
        { at: record, bytes: PAGE },
        { at: Math.floor(size / PAGE / 2) * PAGE, bytes: 3 * PAGE }
      ])
    )
    const tab = openTab()
    await becomes(tab, 'failed')
    const report = await tab.client.rescue.salvage(() => undefined)
    const events = report.tables.find(({ name }) => name === 'events')
    expect(events?.lost.length).toBeGreaterThan(0)
    expect(report.holes).toMatchObject([{ aggregateId: 'note:1', lastSeq: EVENTS }])
    await tab.end()
    const after = openTab()
    const notes = await after.client.db.loadEvents({ aggregateId: 'note:1' })
    expect(notes).toHaveLength(Number(events?.rows) - 1)
    await eventually(async () => {
      const read = await after.client.flowforge.projections.list()
      expect(read.every(({ state, lag }) => state === 'running' && lag === 0)).toBe(true)
    })
    expect(await names(after)).toEqual(['Mine'])
    // What comes next goes on behind what was there, and the file that takes it is sound.
    await after.client.db.appendEvent({ aggregateId: 'note:1', eventType: 'Noted', payload: {} })
    expect((await after.client.db.loadEvents({ aggregateId: 'note:1' })).at(-1)).toMatchObject({
      seq: EVENTS + 1
    })
    expect(await after.client.flowforge.health.check()).toMatchObject({ isSound: true })
  })

  test('by a backup where storage opens and the program does not; a file that is none changes nothing', async () => {
    const record = await fill('projection_checkpoints')
    const before = openTab()
    const backup = await before.client.flowforge.backup.create()
    // It must outlive the storage's own copy of it.
    const file = new File([await backup.arrayBuffer()], backup.name)
    await before.end()
    await eventually(() => damage(() => [{ at: record, bytes: PAGE }]))
    const tab = openTab()
    await becomes(tab, 'failed')
    await expect(tab.client.rescue.restore({ file: new File(['a,b'], 'a.csv') })).rejects.toMatchObject({
      code: 'INVALID_INPUT'
    })
    expect(await tab.client.rescue.restore({ file })).toMatchObject({ events: EVENTS + 1, workflows: 1 })
    await tab.end()
    const after = openTab()
    expect(await names(after)).toEqual(['Mine'])
    expect((await after.client.flowforge.backup.status()).kept).toMatchObject([{ kind: 'damaged' }])
  })
})

test('a damaged record of which file is in use is written anew, and the database opens as it was', async () => {
  await fill()
  const before = openTab()
  const backup = await before.client.flowforge.backup.create()
  const file = new File([await backup.arrayBuffer()], backup.name)
  await before.client.flowforge.backup.restore({ file })
  await before.client.db.appendEvent({ aggregateId: 'note:2', eventType: 'Noted', payload: {} })
  await before.end()
  await eventually(() => damage(() => [{ at: 0, bytes: PAGE }], '/shelf.db'))
  const tab = openTab()
  await becomes(tab, 'failed')
  expect(tab.boots.at(-1)).toMatchObject({ code: 'CORRUPT' })
  const copies = await tab.client.rescue.copies()
  expect(copies.map(({ kind }) => kind)).not.toContain('current')
  for (const { file: name, bytes } of copies) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other: each takes the storage's lock
    expect((await tab.client.rescue.save({ file: name })).size).toBe(bytes)
  }
  const found = await tab.client.rescue.findDatabase()
  expect(found).toMatchObject({ file: '/restored-1.db', opens: true, logPosition: EVENTS + 2 })
  await tab.end()
  const after = openTab()
  expect(await names(after)).toEqual(['Mine'])
  expect(await after.client.db.loadEvents({ aggregateId: 'note:2' })).toHaveLength(1)
  expect((await after.client.flowforge.backup.status()).kept).toMatchObject([
    { file: '/flowforge.db', kind: 'before-restore' }
  ])
})

test('a rescue is refused while somebody has the storage, and fails when its worker ends', async () => {
  const release = await holdLock(STORAGE_LOCK)
  const waiting = openTab()
  await expect(waiting.client.rescue.copies()).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining('another tab of FlowForge')
  })
  const asked = expect(waiting.client.rescue.copies()).rejects.toMatchObject({ code: 'WORKER_LOST' })
  // It waits for the lock when it ends.
  const ended = waiting.end()
  await asked
  release()
  await ended
})
