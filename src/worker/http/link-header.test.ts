import { expect, it } from 'vitest'
import { nextLink } from './link-header.ts'

it.each([
  ['<a>; rel=next', 'a'],
  ['<a>; rel="prev", <b?x=1,2>; rel="next"', 'b?x=1,2'],
  ['<a>; title="; rel=next"; rel=prev', null],
  ['<a>; rel=prev; rel=next', null],
  ['nonsense', null],
  [null, null]
])('reads the next page out of %s', (header, target) => {
  expect(nextLink(header)).toBe(target)
})
