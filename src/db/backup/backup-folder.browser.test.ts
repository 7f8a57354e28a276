import { afterEach, beforeEach, expect, test } from 'vitest'
import { startOpfsWorker, type OpfsWorker } from '../contract/opfs-client.ts'
import type { DbContext } from '../ports.ts'

let count = 0
let directory: string
let worker: OpfsWorker
let context: DbContext
let folder: FileSystemDirectoryHandle
const root = () => navigator.storage.getDirectory()

/** A database in OPFS, and a folder there in the place of one that a person chose. */
beforeEach(async () => {
  directory = `folder-${Date.now()}-${count++}`
  worker = startOpfsWorker()
  context = await worker.open(directory)
  folder = await (await root()).getDirectoryHandle(`${directory}-chosen`, { create: true })
  await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: { text: 'x' } })
  await context.blobStore.put({ key: 'large', data: new Uint8Array(2_300_000).map((_, at) => at % 253) })
})
afterEach(async () => {
  await context.close()
  worker.end()
})
const names = async (): Promise<string[]> => {
  const found: string[] = []
  for await (const name of folder.keys()) found.push(name)
  return found.toSorted()
}

const write = async (name: string, text: string): Promise<void> => {
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable()
  await writable.write(text)
  await writable.close()
}

test('a backup in a folder is one that is restored from there, blobs and all', async () => {
  const { fileName, summary } = await context.backup.createIn(folder, 3, {})
  expect(await names()).toEqual([fileName])
  const file = await context.backup.latestIn(folder)
  expect([file?.name, file?.size]).toEqual([fileName, summary.bytes])
  const staged = await context.backup.stage(file ?? new Blob(), {})
  expect(staged.summary).toEqual(summary)
  expect(summary).toMatchObject({ events: 1, blobs: 1, missing: [] })
})

test('the latest stay; what is older goes, and what has another name stays', async () => {
  const old = ['2020-01-01-000000', '2021-01-01-000000', '2022-01-01-000000']
  for (const time of old) await write(`flowforge-${time}.sqlite`, 'whole')
  await folder.getFileHandle('flowforge-notes.sqlite', { create: true })
  const { fileName } = await context.backup.createIn(folder, 2, {})
  expect(await names()).toEqual(
    [`flowforge-2022-01-01-000000.sqlite`, fileName, 'flowforge-notes.sqlite'].toSorted()
  )
})

test('in a folder that is gone it fails with a word for it, and leaves nothing in the storage', async () => {
  await (await root()).removeEntry(folder.name, { recursive: true })
  await expect(context.backup.createIn(folder, 2, {})).rejects.toMatchObject({
    code: 'NOT_ALLOWED',
    details: { reason: 'folder-gone' }
  })
  await expect(context.backup.latestIn(folder)).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
  await context.close()
  expect((await worker.look(directory)).names).toEqual(['/flowforge.db'])
  context = await worker.open(directory)
})

test('one that is closed in the middle never gets its name', async () => {
  for (let key = 0; key < 8; key += 1) {
    await context.blobStore.put({ key: `more ${key}`, data: new Uint8Array(4_000_000).fill(key) })
  }
  const making = context.backup.createIn(folder, 2, {})
  const refused = expect(making).rejects.toMatchObject({ code: 'CANCELED' })
  await context.close()
  await refused
  expect(await names()).toEqual([])
  context = await worker.open(directory)
})

test('what a browser’s end cut off is no backup: it is not the latest, and pushes none out', async () => {
  const cutOff = ['2020-01-01-000000', '2021-01-01-000000']
  await write('flowforge-2019-01-01-000000.sqlite', 'whole')
  for (const time of cutOff) await folder.getFileHandle(`flowforge-${time}.sqlite`, { create: true })
  expect((await context.backup.latestIn(folder))?.name).toBe('flowforge-2019-01-01-000000.sqlite')
  // Another browser may be writing it just now.
  await folder.getFileHandle('flowforge-9999-01-01-000000.sqlite', { create: true })
  const { fileName } = await context.backup.createIn(folder, 2, {})
  expect(await names()).toEqual([
    'flowforge-2019-01-01-000000.sqlite',
    fileName,
    'flowforge-9999-01-01-000000.sqlite'
  ])
  expect((await context.backup.latestIn(folder))?.name).toBe(fileName)
})
