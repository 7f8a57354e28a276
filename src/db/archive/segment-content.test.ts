import { expect, test } from 'vitest'
import { fromContentBytes, toContentBytes } from './segment-content.ts'

const EVENTS = 4_000

const row = (position: number) => ({
  position,
  id: `e${position}`,
  aggregate_type: 'a',
  aggregate_id: `a:${position % 1_000}`,
  event_type: 'X',
  event_version: 1,
  seq: Math.floor(position / 1_000) + 1,
  payload_json: '{}',
  metadata_json: null,
  tx_id: 't',
  caused_by_event_id: null,
  created_at: '2026-01-01T00:00:00.000Z'
})
const rows = Array.from({ length: EVENTS }, (_, position) => row(position))
const content = fromContentBytes(toContentBytes(rows))

test('what is written is read back, by position and by stream, in its order', () => {
  expect(content.rows).toEqual(rows)
  expect(content.at(17)).toEqual(row(17))
  expect(content.at(EVENTS)).toBeUndefined()
  expect(content.ofStream('a:17')).toEqual([row(17), row(1_017), row(2_017), row(3_017)])
  expect(content.ofStream('a:1000')).toEqual([])
})

test('one stream is found without a look at the rows of others', () => {
  const time = (work: (id: string) => unknown): number => {
    const begun = performance.now()
    for (let n = 0; n < 1_000; n += 1) work(`a:${n}`)
    return performance.now() - begun
  }
  const byFilter = time((id) => content.rows.filter((each) => each['aggregate_id'] === id))
  expect(time((id) => content.ofStream(id))).toBeLessThan(byFilter / 5)
})
