import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { memoryExportFiles } from '../backup/export-files.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { testWorld } from '../contract/store-contract.ts'
import { openMemoryFiles } from './open-database.ts'
import { openContextIn, type StoragePlace } from './sqlite-context.ts'

const options = { storage: 'memory', ...testWorld() } as const
const LARGE = new Uint8Array(600_000).fill(7)
let place: StoragePlace
let end: () => void

beforeEach(async () => {
  const databases = await openMemoryFiles()
  end = databases.close
  place = {
    databases: { ...databases, close: () => undefined },
    blobs: memoryFileStore(),
    exports: memoryExportFiles()
  }
})
afterEach(() => end())

/** A storage whose sweep goes on when it is told to. */
const heldUp = (): { place: StoragePlace; goOn: () => void } => {
  let goOn = (): void => undefined
  const told = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const sweep: StoragePlace['blobs']['sweep'] = async (named) => {
    await told
    await place.blobs.sweep(named)
  }
  return { place: { ...place, blobs: { ...place.blobs, sweep } }, goOn }
}
const isDone = async (work: Promise<unknown>): Promise<boolean> => {
  let done = false
  void work.then(() => (done = true))
  for (let turn = 0; turn < 20; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop -- turns for whoever could go on
    await new Promise((resolve) => setTimeout(resolve))
  }
  return done
}

test('the first answers do not wait for the sweep; what is written as a file does, and is not swept away', async () => {
  // The bytes that a crash left are those that are stored next: their name is the same.
  const left = await place.blobs.stage(new Blob([LARGE]).stream())
  await left.keep()
  const held = heldUp()
  const context = await openContextIn(held.place, options)
  await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
  expect(await context.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(1)
  const put = context.blobStore.put({ key: 'large', data: LARGE })
  const backup = context.backup.create({})
  expect(await isDone(put)).toBe(false)
  expect(await isDone(backup)).toBe(false)
  held.goOn()
  await put
  await backup
  expect((await context.blobStore.get({ key: 'large' }))?.data.byteLength).toBe(LARGE.byteLength)
  await context.close()
})

test('a storage is closed when its sweep has ended: the next one writes', async () => {
  const held = heldUp()
  const context = await openContextIn(held.place, options)
  const closed = context.close()
  expect(await isDone(closed)).toBe(false)
  held.goOn()
  await closed
})

test('a sweep that fails is told of, and keeps nobody from writing', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const sweep = () => Promise.reject(new Error('somebody has it open'))
  const context = await openContextIn({ ...place, blobs: { ...place.blobs, sweep } }, options)
  await context.blobStore.put({ key: 'large', data: LARGE })
  expect(told).toHaveBeenCalledOnce()
  told.mockRestore()
  await context.close()
})
