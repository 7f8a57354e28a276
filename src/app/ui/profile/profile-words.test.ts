import { expect, it } from 'vitest'
import { caveat, countWords, distinctWords, quantileWords } from './profile-words.ts'

it('tells shares without rounding anything away', () => {
  expect(countWords(0, 10)).toBe('0')
  expect(countWords(0, 0)).toBe('0')
  expect(countWords(5, 10)).toBe('5 (50%)')
  expect(countWords(1, 1_000_000)).toBe('1 (< 0.1%)')
  expect(countWords(999_999, 1_000_000)).toBe('999,999 (> 99.9%)')
  expect(countWords(10, 10)).toBe('10 (100%)')
})

it('says what is estimated, and of which rows', () => {
  expect(distinctWords(7, true)).toBe('7')
  expect(distinctWords(70_000, false)).toBe('about 70,000')
  expect(caveat({ rows: 4, total: 4, isExact: true, columns: [] })).toBeNull()
  expect(caveat({ rows: 2_000_000, total: 3_000_000, isExact: false, columns: [] })).toBe(
    'Of the first 2,000,000 of 3,000,000 rows. Distinct values and quantiles are estimated; the rest is exact.'
  )
})

it('tells quantiles as the values look', () => {
  expect(quantileWords(1234.5678, 'number')).toBe('1,234.6')
  expect(quantileWords(-3_786_825_600, 'date')).toBe('1850-01-01')
  expect(quantileWords(1_764_000_000, 'timestamp')).toBe('2025-11-24 16:00:00')
  expect(quantileWords(9e15, 'timestamp')).toBe('9,000,000,000,000,000')
})
