import { expect, it } from 'vitest'
import { follow, isJsonPointer, pointerTo } from './json-pointer.ts'

// The examples of RFC 6901, section 5.
const DOCUMENT = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8
}

it.each([
  ['', DOCUMENT],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/g|h', 4],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8]
])('%j leads where RFC 6901 says', (pointer, expected) => {
  expect(isJsonPointer(pointer)).toBe(true)
  expect(follow(DOCUMENT, pointer)).toEqual(expected)
})

it.each(['/nothing', '/foo/2', '/foo/01', '/foo/-', '/foo/length', '/constructor', '/foo/0/x'])(
  '%j leads nowhere',
  (pointer) => expect(follow(DOCUMENT, pointer)).toBeUndefined()
)

it.each(['foo', '/a~', '/a~2'])('%j is none', (pointer) => expect(isJsonPointer(pointer)).toBe(false))

it('is written from a path', () => {
  expect(pointerTo(['a/b', 0, 'm~n'])).toBe('/a~1b/0/m~0n')
})
