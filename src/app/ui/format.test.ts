import { describe, expect, it } from 'vitest'
import { formatBytes, formatCount, formatDuration, formatQuantity, formatRelativeTime } from './format.ts'

describe('words for amounts', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1_000, '1.0 KB'],
    [12_345, '12 KB'],
    [999_950, '1.0 MB'],
    [999_499, '999 KB'],
    [999_500, '1.0 MB'],
    [34_242_586, '34 MB'],
    [10_745_086_194, '11 GB']
  ])('%d bytes are %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words)
  })

  it('gives counts in full', () => {
    expect(formatCount(1_048_576)).toBe('1,048,576')
    expect(formatCount(9_007_199_254_740_993n)).toBe('9,007,199,254,740,993')
    expect(formatQuantity(1, 'row')).toBe('1 row')
    expect(formatQuantity(0, 'row')).toBe('0 rows')
    expect(formatQuantity(2, 'query', 'queries')).toBe('2 queries')
  })

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min 0 s'],
    [125_000, '2 min 5 s'],
    [3_599_600, '1 h 0 min'],
    [3_840_000, '1 h 4 min']
  ])('%d ms are %s', (ms, words) => {
    expect(formatDuration(ms)).toBe(words)
  })
})

describe('times', () => {
  const now = new Date('2026-11-24T12:00:00.000Z')
  it.each([
    ['2026-11-24T11:59:55.000Z', 'just now'],
    ['2026-11-24T11:59:30.000Z', '30 seconds ago'],
    ['2026-11-24T11:57:00.000Z', '3 minutes ago'],
    ['2026-11-24T09:00:00.000Z', '3 hours ago'],
    ['2026-11-23T12:00:00.000Z', 'yesterday'],
    ['2026-11-26T12:00:00.000Z', 'in 2 days'],
    ['2025-11-24T12:00:00.000Z', 'last year']
  ])('%s is %s', (then, words) => {
    expect(formatRelativeTime(new Date(then), now)).toBe(words)
  })
})
