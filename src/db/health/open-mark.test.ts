import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createOpenMark, type MarkFile } from './open-mark.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A byte that stays when the worker is gone. */
const createFile = () => {
  const at = '2026-01-01T00:00:00.000Z'
  const file = { byte: '', writes: 0 }
  const open = (): MarkFile => ({
    found: file.byte === '' ? null : { byte: file.byte, at },
    write: (byte) => {
      file.byte = byte
      file.writes += 1
    },
    close: () => undefined
  })
  return { file, open }
}

test('an end in the middle of work is unclean, one at rest or by closing is clean', () => {
  const { open } = createFile()
  const first = createOpenMark(open())
  expect(first.lastEnd).toEqual({ kind: 'first' })
  first.work()
  const second = createOpenMark(open())
  expect(second.lastEnd).toEqual({ kind: 'unclean', at: '2026-01-01T00:00:00.000Z' })
  second.work()
  vi.advanceTimersByTime(10_000)
  const third = createOpenMark(open())
  expect(third.lastEnd).toMatchObject({ kind: 'clean' })
  third.work()
  third.close()
  expect(createOpenMark(open()).lastEnd).toMatchObject({ kind: 'clean' })
})

test('a thousand commits in a row cost one write, and one more for the rest after them', () => {
  const { file, open } = createFile()
  const mark = createOpenMark(open())
  for (let commit = 0; commit < 1_000; commit += 1) {
    mark.work()
    vi.advanceTimersByTime(10)
  }
  expect(file).toEqual({ byte: 'w', writes: 1 })
  vi.advanceTimersByTime(10_000)
  expect(file).toEqual({ byte: 'r', writes: 2 })
  mark.work()
  expect(file).toEqual({ byte: 'w', writes: 3 })
})

test('damage that was found stays known until a check finds none', () => {
  const { open } = createFile()
  const mark = createOpenMark(open())
  mark.damage()
  mark.work()
  vi.advanceTimersByTime(10_000)
  mark.close()
  const next = createOpenMark(open())
  expect(next.lastEnd).toMatchObject({ kind: 'damaged' })
  next.work()
  expect(createOpenMark(open()).lastEnd).toMatchObject({ kind: 'damaged' })
  next.sound()
  next.close()
  expect(createOpenMark(open()).lastEnd).toMatchObject({ kind: 'clean' })
})

test('a mark that cannot be written refuses no work, and is written with the next', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const { file, open } = createFile()
  const failing = open()
  let isFailing = true
  const mark = createOpenMark({
    ...failing,
    write: (byte) => {
      if (isFailing) throw new DOMException('Flushing failed.', 'UnknownError')
      failing.write(byte)
    }
  })
  mark.work()
  expect(file.writes).toBe(0)
  expect(warn).toHaveBeenCalledOnce()
  isFailing = false
  mark.work()
  expect(file.byte).toBe('w')
})

test('damage that cannot be noted when it is found is noted with what comes next', () => {
  const { file, open } = createFile()
  const real = open()
  let isRefused = false
  const mark = createOpenMark({
    ...real,
    write: (byte) => {
      if (isRefused) throw new Error('no room')
      real.write(byte)
    }
  })
  mark.work()
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  isRefused = true
  mark.damage()
  expect(warn).toHaveBeenCalled()
  isRefused = false
  mark.close()
  warn.mockRestore()
  expect(file.byte).toBe('d')
  expect(createOpenMark(open()).lastEnd).toMatchObject({ kind: 'damaged' })
})
