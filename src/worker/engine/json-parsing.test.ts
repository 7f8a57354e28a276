import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonShape, jsonValues, strictJsonValues, type JsonShape } from './json-parsing.ts'

const all = async (values: AsyncGenerator<unknown>): Promise<unknown[]> => {
  const found: unknown[] = []
  for await (const value of values) found.push(value)
  return found
}

/** A blob that hands out its bytes in small chunks, so that every token is cut somewhere. */
const inChunks = (text: string, size: number): Blob => {
  const bytes = new TextEncoder().encode(text)
  const blob = new Blob([bytes])
  return Object.assign(blob, {
    stream: () => {
      let at = 0
      return new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (at >= bytes.length) return controller.close()
          controller.enqueue(bytes.slice(at, at + size))
          at += size
        }
      })
    }
  })
}

// Numbers that a double rounds are kept otherwise, and have a test of their own.
const isExact = (row: unknown): boolean => !/\d{16}/.test(JSON.stringify(row))
const rows = fc.array(fc.dictionary(fc.string(), fc.jsonValue()).filter(isExact), {
  minLength: 1,
  maxLength: 8
})

test('rows come out as the platform parses them, wherever chunks are cut', async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (list, size, lines) => {
      const text = lines ? list.map((row) => JSON.stringify(row)).join('\n') : JSON.stringify(list, null, 1)
      const shape: JsonShape = lines ? 'objects' : 'array'
      const blob = inChunks(text, size)
      expect(await jsonShape(blob)).toBe(shape)
      expect(await all(jsonValues(blob, 'x.json', shape))).toEqual(JSON.parse(JSON.stringify(list)))
    }),
    { numRuns: 200 }
  )
})

test('the quick way and the strict way give the same', async () => {
  const text =
    '[{"a": 12345678901234567890, "t": "1234567890123456789"}, {"a": 0.1234567890123456789}, {"a": 0.3333333333333333}]'
  const quick = await all(jsonValues(new Blob([text]), 'x.json', 'array'))
  expect(quick).toEqual(await all(strictJsonValues(new Blob([text]), 'x.json', 'array')))
  expect(quick).toEqual([
    { a: 12345678901234567890n, t: '1234567890123456789' },
    { a: { exactText: '0.1234567890123456789' } },
    { a: 0.3333333333333333 }
  ])
})

test.each([
  ['[{"a":1} {"a":2}]', 1],
  ['[{"a":1},\n]', 2],
  ['[{"a":1}]\n[', 2],
  ['[{"a":1},\n{"a":}]', 2],
  ['[{"a":1}\n', 2]
])('%s is refused with its line', async (text, line) => {
  await expect(all(jsonValues(new Blob([text]), 'x.json', 'array'))).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    details: { line, reason: 'json' }
  })
})
