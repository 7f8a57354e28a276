import { expect, test } from 'vitest'
import { endedBefore, previewInWords } from './archive-words.ts'

test('what could be archived is said in one sentence', () => {
  expect(previewInWords({ streams: {}, events: 0, bytes: 0 })).toBeNull()
  expect(previewInWords({ streams: { run: 1 }, events: 9, bytes: 4_200 })).toBe(
    '1 run can be archived: 9 events that take about 4.2 KB of the database.'
  )
  const streams = { run: 1_200, workflow: 1, datasource: 2 }
  expect(previewInWords({ streams, events: 30_000, bytes: 12_000_000 })).toBe(
    '1,200 runs, 1 removed workflow and 2 removed data sources can be archived: 30,000 events that take about 12 MB of the database.'
  )
})

test('days are counted back from now, and none are no bound', () => {
  const now = new Date('2026-03-01T12:00:00.000Z')
  expect(endedBefore(0, now)).toBeUndefined()
  expect(endedBefore(7, now)).toBe('2026-02-22T12:00:00.000Z')
})
