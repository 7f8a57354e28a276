import { expect, it } from 'vitest'
import { diffSpecs } from './spec-diff.ts'

it('says what was added, removed and changed, and where', () => {
  const before = { rules: [{ name: 'big', when: 'a > 1', reject: 'no' }], extra: {} }
  const after = {
    rules: [
      { name: 'big', when: 'a > 2' },
      { name: 'small', when: 'true' }
    ],
    extra: {}
  }
  expect(diffSpecs(before, after)).toEqual([
    { path: 'rules › 1 › when', change: 'changed', before: '"a > 1"', after: '"a > 2"' },
    { path: 'rules › 2 › name', change: 'added', before: null, after: '"small"' },
    { path: 'rules › 2 › when', change: 'added', before: null, after: '"true"' },
    { path: 'rules › 1 › reject', change: 'removed', before: '"no"', after: null }
  ])
  expect(diffSpecs(after, structuredClone(after))).toEqual([])
})
