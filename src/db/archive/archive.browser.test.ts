import { proxy } from 'comlink'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startOpfsWorker, type OpfsWorker } from '../contract/opfs-client.ts'
import type { DbContext, Event } from '../ports.ts'
import { openArchiveFolders } from './archive-folders.ts'
import { createFolderSegments } from './folder-segments.ts'

let count = 0
let directory = ''
let chosen: FileSystemDirectoryHandle
let context: DbContext
const workers: OpfsWorker[] = []
const open = async (): Promise<void> => {
  const worker = startOpfsWorker()
  workers.push(worker)
  context = await worker.open(directory)
}
/** The worker is ended without a word, as a crash ends it. */
const crash = async (): Promise<void> => {
  for (const worker of workers.splice(0)) worker.end()
  await open()
}
const folderOf = async (name: string): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true })

beforeEach(async () => {
  directory = `archive-${Date.now()}-${count++}`
  // A folder of OPFS is a folder like those that a person chooses, and asks nobody.
  chosen = await folderOf(`chosen-${directory}`)
  await open()
})
afterEach(async () => {
  for (const worker of workers.splice(0)) worker.end()
  await (await navigator.storage.getDirectory()).removeEntry(chosen.name, { recursive: true })
})

const readAll = () => context.eventStore.readAll({ limit: 100_000 })
const move = (folder?: FileSystemDirectoryHandle) =>
  context.archive.move({ aggregateIds: ['run:1', 'run:2'], folder })
const fill = async (size = 10): Promise<Event[]> => {
  for (const aggregateId of ['run:1', 'run:2']) {
    const events = Array.from({ length: size }, (_, n) => ({
      aggregateId,
      eventType: 'Noted',
      payload: { n, text: 'x'.repeat(100) }
    }))
    // oxlint-disable-next-line no-await-in-loop -- one stream after the other
    await context.eventStore.appendMany(events)
  }
  await context.eventStore.append({ aggregateId: 'workflow:w', eventType: 'Noted', payload: {} })
  return readAll()
}
const namesIn = async (folder: FileSystemDirectoryHandle): Promise<string[]> => {
  const names: string[] = []
  for await (const name of folder.keys()) names.push(name)
  return names.toSorted()
}
const blobNames = async (): Promise<string[]> => namesIn(await folderOf(`${directory}-blobs`))

describe('segments beside the blobs', () => {
  test('last, and come back', async () => {
    const before = await fill()
    const [segment] = await move()
    expect(await blobNames()).toEqual([segment?.fileName])
    await crash()
    expect(await readAll()).toEqual(before)
    await context.archive.bringBack({ segmentId: segment?.id ?? 0 })
    expect(await blobNames()).toEqual([])
    await crash()
    expect(await readAll()).toEqual(before)
  })

  test('a worker that is killed at any moment of a move leaves each event in one place', async () => {
    const before = await fill(4_000)
    for (let round = 0; round < 6; round += 1) {
      // oxlint-disable no-await-in-loop -- one end after the other
      move().catch(() => undefined)
      const isUnderWay = async () =>
        (await blobNames()).length + (await context.archive.list()).length >= round % 3
      await vi.waitFor(async () => expect(await isUnderWay()).toBe(true), 10_000)
      await crash()
      expect(await readAll()).toEqual(before)
      expect(await context.archive.verify({})).toEqual([])
      const segments = await context.archive.list()
      // What the end left behind is gone.
      expect(await blobNames()).toEqual(segments.map(({ fileName }) => fileName).toSorted())
      for (const { id } of segments) await context.archive.bringBack({ segmentId: id })
      // oxlint-enable no-await-in-loop
    }
    expect(await readAll()).toEqual(before)
    expect(await context.log.verify()).toMatchObject({ isIntact: true })
  })
})

describe('segments in a folder that was chosen', () => {
  test('are read from there, also after a reopening, and go with the last of them', async () => {
    const before = await fill()
    const [segment] = await move(chosen)
    expect(segment).toMatchObject({ place: 'folder', events: 20 })
    expect(segment?.fileName).toMatch(/^flowforge-segment-1-20-[0-9a-f]{12}\.ndjson\.gz$/)
    expect(await namesIn(chosen)).toEqual([segment?.fileName])
    expect(await blobNames()).toEqual([])
    expect(await readAll()).toEqual(before)
    await crash()
    expect(await readAll()).toEqual(before)
    expect((await context.archive.folders()).map(({ name, isAllowed }) => [name, isAllowed])).toEqual([
      [chosen.name, true]
    ])
    await context.archive.bringBack({ segmentId: segment?.id ?? 0 })
    expect(await namesIn(chosen)).toEqual([])
    expect(await readAll()).toEqual(before)
  })

  test('whose file is gone are named, and readable when it is back', async () => {
    const before = await fill()
    const [segment] = await move(chosen)
    const name = String(segment?.fileName)
    const bytes = await (await (await chosen.getFileHandle(name)).getFile()).arrayBuffer()
    await crash()
    await chosen.removeEntry(name)
    await expect(readAll()).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringMatching(new RegExp(`${name}.*Put the file back into the folder`))
    })
    // Into another folder, which is shown to it.
    const other = await folderOf(`chosen-${directory}-other`)
    const writable = await (await other.getFileHandle(name, { create: true })).createWritable()
    await writable.write(bytes)
    await writable.close()
    await context.archive.connect({ folder: other })
    expect(await readAll()).toEqual(before)
    await (await navigator.storage.getDirectory()).removeEntry(other.name, { recursive: true })
  })

  test('travel in a backup, and stand in storage after it was restored', async () => {
    const before = await fill()
    const [segment] = await move(chosen)
    const { file, summary } = await context.backup.create({})
    expect(summary).toMatchObject({ missing: [], events: 21 })
    const { id } = await context.backup.stage(file, {})
    await context.backup.restore(
      id,
      proxy(() => undefined),
      {}
    )
    await context.close()
    await crash()
    await chosen.removeEntry(String(segment?.fileName))
    expect(await readAll()).toEqual(before)
    expect(await blobNames()).toEqual([segment?.sha256])
  })

  test('a file that a crash left there goes at the next opening; what is not ours stays', async () => {
    await fill()
    await move(chosen)
    const kept = await namesIn(chosen)
    const folders = openArchiveFolders(`${directory}-archive`)
    await folders.expect({ fileName: 'left.ndjson.gz', sha256: 'a'.repeat(64) })
    for (const name of ['left.ndjson.gz', 'flowforge-segment-7-9-000000000000.ndjson.gz', 'notes.txt']) {
      // oxlint-disable-next-line no-await-in-loop -- one file after the other
      await chosen.getFileHandle(name, { create: true })
    }
    await crash()
    await vi.waitFor(async () => expect(await folders.pending()).toEqual([]), 5_000)
    expect(await namesIn(chosen)).toEqual(
      [...kept, 'flowforge-segment-7-9-000000000000.ndjson.gz', 'notes.txt'].toSorted()
    )
  })

  test('a folder that may not be used says what to do', async () => {
    const refused = await folderOf(chosen.name)
    Object.defineProperty(refused, 'queryPermission', { value: async () => 'prompt' })
    const segments = createFolderSegments({ list: async () => [refused] })
    const said = {
      code: 'NOT_ALLOWED',
      message: expect.stringMatching(/segment a\.gz.*Open Settings, Archive, and allow it/),
      details: { folder: chosen.name }
    }
    await expect(segments.open('a.gz')).rejects.toMatchObject(said)
    await expect(segments.write(refused, 'a.gz', new Uint8Array([1]))).rejects.toMatchObject(said)
    expect(await segments.remove('a.gz')).toEqual([chosen.name])
    expect(await namesIn(chosen)).toEqual([])
  })
})
