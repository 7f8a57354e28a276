import { expect, test } from 'vitest'
import { wordsOfLoss } from './salvage-words.ts'

const table = { name: 'events', rows: 10, refused: 0, lost: [] }

test('what was lost of a table is named by the numbers of its rows', () => {
  expect(wordsOfLoss(table)).toBeNull()
  const lost = [
    { after: 500, before: 521 },
    { after: 600, before: 602 },
    { after: 1_000, before: null }
  ]
  expect(wordsOfLoss({ ...table, lost, refused: 1 })).toBe(
    'events: not readable: 501 to 520; 601; everything after 1,000, and 1 row read, but not what was stored.'
  )
  expect(wordsOfLoss({ ...table, lost: [{ after: 0, before: null }] })).toBe(
    'events: not readable: all of it.'
  )
  const many = Array.from({ length: 22 }, (_, index) => ({ after: index * 10, before: index * 10 + 2 }))
  expect(wordsOfLoss({ ...table, lost: many })).toContain('191; and 2 more ranges.')
})
