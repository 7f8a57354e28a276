import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isFlowForgeError } from '../../db/ports.ts'
import { openRows } from './json-rows.ts'
import { strictJsonValues } from './json-parsing.ts'
import { toJson } from './value-text.ts'

const packed = readFileSync(new URL('./fixtures/json-test-suite.json.gz', import.meta.url))
const FILES = Object.entries(
  z.record(z.string(), z.string()).parse(JSON.parse(gunzipSync(packed).toString('utf8')))
).map(([name, base64]) => ({ name, bytes: Buffer.from(base64, 'base64') }))
const named = (prefix: string) => FILES.filter(({ name }) => name.startsWith(prefix))

/** `rows`, or the reason why there are none: `json` for what is no JSON, `not-rows` for JSON that is no table. */
const verdict = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
  try {
    const rows = await openRows(new Blob([bytes]), 'x.json')
    for await (const row of rows.read()) void row
    return 'rows'
  } catch (thrown) {
    if (!isFlowForgeError(thrown) || thrown.code !== 'INVALID_INPUT') throw thrown
    return String(thrown.details['reason'])
  }
}

/** The file as the value of a row's member. */
const inside = (bytes: Uint8Array<ArrayBuffer>): Blob => new Blob(['[{"v":', bytes, '}]'])

const valueInside = async (bytes: Uint8Array<ArrayBuffer>): Promise<unknown> => {
  const found: unknown[] = []
  for await (const value of strictJsonValues(inside(bytes), 'x.json', 'array')) found.push(value)
  return z.tuple([z.object({ v: z.unknown() })]).parse(found)[0].v
}

test('all 318 files are here', () => {
  expect([named('y_').length, named('n_').length, named('i_').length]).toEqual([95, 188, 35])
})

describe('what must be accepted', () => {
  test.each(named('y_'))('$name', async ({ bytes }) => {
    // Numbers and lists of numbers are JSON, too, but no rows: that is said, not that they are broken.
    expect(['rows', 'not-rows']).toContain(await verdict(bytes))
    // Numbers keep more digits than the platform's parser keeps.
    const ours = JSON.parse(toJson(await valueInside(bytes)))
    expect(ours).toEqual(JSON.parse(bytes.toString('utf8')))
  })
})

describe('what must be refused', () => {
  test.each(named('n_'))('$name', async ({ bytes }) => {
    expect(['json', 'not-rows']).toContain(await verdict(bytes))
    await expect(valueInside(bytes)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { reason: 'json' }
    })
  })
})

describe('what may be either', () => {
  /** Our choice, written down. */
  test.each(named('i_'))('$name', async ({ name, bytes }) => {
    expect(`${name} ${await verdict(bytes)}`).toMatchSnapshot()
  })
})
