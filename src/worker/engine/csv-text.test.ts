import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapedFormula, isFormula } from './csv-text.ts'

test.each(['=1+1', '+cmd|x', '-2+3', '@sum(a)', '\t=x', '\rx', "'=1", '-', '+49 30'])(
  '%j is a formula',
  (text) => {
    expect(escapedFormula(text)).toBe(`'${text}`)
  }
)
test.each(['-5', '+5', '-5.25e-3', '.5', '-.5', '5', "it's", '', 'a=b'])('%j stays as it is', (text) => {
  expect(escapedFormula(text)).toBe(text)
})

test('what was escaped comes back by taking one apostrophe away, and no two texts become one', () => {
  const start = fc.constantFrom('', "'", "''", '=', '+', '-', '@', '\t', '\r')
  fc.assert(
    fc.property(start, fc.string(), (mark, rest) => {
      const text = mark + rest
      const written = escapedFormula(text)
      expect(isFormula(written) && written.startsWith("'") ? written.slice(1) : written).toBe(text)
    })
  )
})
