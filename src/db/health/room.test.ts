import { afterEach, expect, test, vi } from 'vitest'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import { createRoom, filesInRoom, type Room } from './room.ts'
import type { Reserve } from './reserve.ts'

/** A disk with so many bytes left beside the reserve. */
const createDisk = () => {
  const disk = { left: 1_000_000_000, reserve: 0, told: [] as string[] }
  const reserve: Reserve = {
    isTaken: () => disk.reserve > 0,
    release: async () => {
      disk.reserve = 0
    },
    take: async () => {
      if (disk.left < 20_000_000) return false
      disk.reserve = 1
      return true
    },
    close: () => undefined
  }
  const reports = {
    keep: async (_kind: string, outcome: string) => {
      disk.told.push(outcome)
    },
    latest: async () => disk.told.at(-1) ?? null
  }
  return { disk, reserve, reports, open: () => createRoom(reserve, reports, async () => disk.left, 1) }
}

let room: Room | null = null
afterEach(() => room?.stop())
const bytes = () => new Blob([new Uint8Array(100)]).stream()

test('the reserve is given up when a write finds no room, and taken again when there is some', async () => {
  const { disk, open } = createDisk()
  room = open()
  await vi.waitFor(() => expect(disk.reserve).toBe(1))
  disk.left = 0
  room.ranFull()
  await vi.waitFor(() => expect(disk).toMatchObject({ reserve: 0, told: ['full'] }))
  room.ranFull()
  expect(disk.told).toEqual(['full'])
  disk.left = 1_000_000_000
  room.grew()
  await vi.waitFor(() => expect(disk).toMatchObject({ reserve: 1, told: ['full', 'free'] }))
})

test('new files are refused while it is given up; what is removed makes room for them', async () => {
  const { disk, open } = createDisk()
  const opened = open()
  room = opened
  const store = memoryFileStore()
  let isFull = true
  const files = filesInRoom(
    {
      ...store,
      stage: async (stream) => {
        if (isFull) throw new FlowForgeError('STORAGE_FULL', 'full')
        return store.stage(stream)
      }
    },
    opened
  )
  await vi.waitFor(() => expect(disk.reserve).toBe(1))
  disk.left = 0
  await expect(files.stage(bytes())).rejects.toMatchObject({ code: 'STORAGE_FULL', message: 'full' })
  expect(disk.reserve).toBe(0)
  isFull = false
  await expect(files.stage(bytes())).rejects.toThrow('nothing new is taken in')
  disk.left = 1_000_000_000
  await files.remove('old')
  await vi.waitFor(() => expect(disk.told).toEqual(['full', 'free']))
  expect((await files.stage(bytes())).size).toBe(100)
})

test('a disk that is full at the opening is said to be', async () => {
  const { disk, open } = createDisk()
  disk.left = 0
  room = open()
  await vi.waitFor(() => expect(disk.told).toEqual(['full']))
  expect(room.expectRoom).toThrow('The storage is full')
})

test('what was said of a full storage is taken back by the next session that finds room', async () => {
  const { disk, open } = createDisk()
  const before = open()
  await vi.waitFor(() => expect(disk.reserve).toBe(1))
  disk.left = 0
  before.ranFull()
  await vi.waitFor(() => expect(disk.told).toEqual(['full']))
  before.stop()
  disk.left = 1_000_000_000
  room = open()
  await vi.waitFor(() => expect(disk).toMatchObject({ reserve: 1, told: ['full', 'free'] }))
})

test('a look that failed is not the last: a storage that was full is looked at again', async () => {
  vi.useFakeTimers()
  const complaints = vi.spyOn(console, 'error').mockReturnValue()
  try {
    const { disk, reserve, reports } = createDisk()
    let looks = 0
    room = createRoom(reserve, reports, async () => {
      looks += 1
      if (looks === 2) throw new Error('The browser does not say how much room there is')
      return disk.left
    })
    disk.left = 0
    await vi.advanceTimersByTimeAsync(2_000)
    expect(disk.told).toEqual(['full'])
    disk.left = 1_000_000_000
    await vi.advanceTimersByTimeAsync(15_000)
    expect(complaints).toHaveBeenCalledOnce()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(disk).toMatchObject({ reserve: 1, told: ['full', 'free'] })
    expect(room.expectRoom).not.toThrow()
  } finally {
    complaints.mockRestore()
    vi.useRealTimers()
  }
})
