import { expect, test } from 'vitest'
import { forgetDataMark, readDataMark, writeDataMark, writeLastBackup } from './data-mark.ts'

/** A store, and cookies as a document has them: what is set is one cookie, what is read is all. */
const createPlaces = () => {
  const kept = new Map<string, string>()
  let jar = 'other=2'
  return {
    kept,
    clearCookies: () => (jar = 'other=2'),
    store: {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key)
    },
    cookies: {
      get cookie() {
        return jar
      },
      set cookie(text: string) {
        jar = text.includes('max-age=0') ? 'other=2' : `other=2; ${text.split(';')[0]}`
      }
    }
  }
}
const facts = { events: 12, since: '2026-01-01T00:00:00.000Z' }

test('what was noted is found, also when one of the two places is left', () => {
  const places = createPlaces()
  expect(readDataMark(places)).toBeNull()
  writeDataMark(facts, places)
  expect(readDataMark(places)).toEqual({ facts, backup: null })
  places.kept.clear()
  expect(readDataMark(places)).toEqual({ facts: null, backup: null })
  writeDataMark(facts, places)
  places.clearCookies()
  expect(readDataMark(places)).toEqual({ facts, backup: null })
  forgetDataMark(places)
  expect(readDataMark(places)).toBeNull()
})

test('the last backup is remembered with it, and forgotten with it', () => {
  const places = createPlaces()
  const backup = { at: '2026-01-02T00:00:00.000Z', fileName: 'flowforge 1.sqlite' }
  writeDataMark(facts, places)
  writeLastBackup(backup, places)
  expect(readDataMark(places)).toEqual({ facts, backup })
  forgetDataMark(places)
  expect(places.kept.size).toBe(0)
})

test('the cookie, which the server sees, says that there was data and nothing else', () => {
  const places = createPlaces()
  writeDataMark(facts, places)
  expect(places.cookies.cookie).toBe('other=2; flowforge-data=1')
})

test('what is no note is none', () => {
  const places = createPlaces()
  places.kept.set('flowforge-data', 'much')
  expect(readDataMark(places)).toBeNull()
})
