import { expect, test } from 'vitest'
import { eventsSince, isDue } from './due.ts'
import type { MadeBackup } from './notes.ts'

const made: MadeBackup = {
  at: '2026-03-01T08:00:00.000Z',
  folderName: 'backups',
  fileName: 'flowforge-2026-03-01-080000.sqlite',
  bytes: 1,
  generation: 2,
  logPosition: 100
}
const place = (logPosition: number, generation = 2) => ({ logPosition, generation })
const after = (hours: number): string => new Date(Date.parse(made.at) + hours * 60 * 60 * 1_000).toISOString()

test('the first is due at once', () => {
  expect(isDue({ unit: 'week' }, null, place(0), made.at)).toBe(true)
})

test('a day, or a week, has to be over nearly', () => {
  expect(isDue({ unit: 'day' }, made, place(101), after(19))).toBe(false)
  expect(isDue({ unit: 'day' }, made, place(101), after(21))).toBe(true)
  expect(isDue({ unit: 'week' }, made, place(101), after(6 * 24))).toBe(false)
  expect(isDue({ unit: 'week' }, made, place(101), after(7 * 24))).toBe(true)
})

test('one that was made while the clock ran ahead does not hold up the next', () => {
  expect(isDue({ unit: 'day' }, made, place(101), after(-10_000))).toBe(true)
  expect(isDue({ unit: 'week' }, made, place(101), after(-10_000))).toBe(true)
  expect(isDue({ unit: 'day' }, made, place(100), after(-10_000))).toBe(false)
})

test('so many events have to be new, or all of them are', () => {
  expect(isDue({ unit: 'events', count: 50 }, made, place(149), made.at)).toBe(false)
  expect(isDue({ unit: 'events', count: 50 }, made, place(150), made.at)).toBe(true)
  expect(isDue({ unit: 'events', count: 50 }, made, place(100, 3), made.at)).toBe(true)
})

test('what would hold nothing new is never due: it would push out an older one', () => {
  expect(isDue({ unit: 'day' }, made, place(100), after(1_000))).toBe(false)
})

test('a storage that was emptied is not backed up over what is left of it', () => {
  expect(isDue({ unit: 'day' }, made, place(3), after(100))).toBe(false)
  expect(isDue({ unit: 'events', count: 1 }, made, place(500, 0), after(100))).toBe(false)
  expect(isDue({ unit: 'day' }, made, place(3, 3), after(100))).toBe(true)
})

test('what is in no backup is counted within one history', () => {
  expect(eventsSince(null, place(7))).toBe(7)
  expect(eventsSince(made, place(130))).toBe(30)
  expect(eventsSince(made, place(90, 3))).toBe(90)
  expect(eventsSince(made, place(3))).toBe(3)
})
