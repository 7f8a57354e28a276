import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY, openTestEngine, type TestEngine } from './contract/test-engine.ts'
import { writeQuery } from './contract/writing.ts'

let bed: TestEngine
beforeAll(async () => {
  bed = openTestEngine(await openDbContext(IN_MEMORY))
})
afterAll(() => bed.close())

/** Refused as a broken file, and the engine goes on. */
const refused = async (fileName: string, content: Uint8Array<ArrayBuffer> | string, words: RegExp) => {
  await expect(bed.prepare(fileName, content)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringMatching(words)
  })
  expect(await bed.rows(await bed.prepare('fine.csv', 'a\n1\n'))).toEqual([{ a: 1 }])
}

const QUERY = `SELECT range AS i, 'text ' || range AS t FROM input, range(1000)`

/** Bytes with some of them changed. */
const changed = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array<ArrayBuffer> => {
  const copy = bytes.slice()
  copy.set(values, at)
  return copy
}

describe('Parquet', () => {
  test('that is cut off, or no Parquet at all, is refused', async () => {
    const { bytes } = await writeQuery(bed, QUERY, 'parquet')
    await refused(
      'cut.parquet',
      bytes.slice(0, bytes.length - 100),
      /"cut.parquet" cannot be read as Parquet/
    )
    await refused('half.parquet', bytes.slice(0, bytes.length / 2), /cannot be read as Parquet/)
    await refused('text.parquet', 'id,name\n1,Zoë\n', /cannot be read as Parquet/)
  })

  test('whose bytes were changed anywhere is read or refused, and breaks nothing', async () => {
    const { bytes } = await writeQuery(bed, QUERY, 'parquet')
    for (let at = 4; at < bytes.length; at += Math.ceil(bytes.length / 25)) {
      await bed.prepare('changed.parquet', changed(bytes, at, 0xff, 0xff, 0x7f)).catch((thrown: unknown) => {
        expect(thrown).toMatchObject({ code: 'INVALID_INPUT' })
      })
    }
    expect(await bed.rows(await bed.prepare('fine.csv', 'a\n1\n'))).toEqual([{ a: 1 }])
  })
})

describe('Arrow', () => {
  const table = tableToIPC(
    tableFromArrays({ i: Int32Array.from([1, 2, 3]), t: ['a', 'bb', 'ccc'] }),
    'stream'
  ).slice()

  test('as a stream or a file, with words that repeat, is read', async () => {
    const rows = [
      { i: 1, t: 'a' },
      { i: 2, t: 'bb' },
      { i: 3, t: 'ccc' }
    ]
    expect(await bed.rows(await bed.prepare('a.arrow', table))).toEqual(rows)
    const file = tableToIPC(
      tableFromArrays({ i: Int32Array.from([1, 2, 3]), t: ['a', 'bb', 'ccc'] }),
      'file'
    ).slice()
    expect(await bed.rows(await bed.prepare('b.arrow', file))).toEqual(rows)
  })

  test('that is cut off, or none at all, is refused', async () => {
    const { bytes } = await writeQuery(bed, QUERY, 'arrow')
    await refused('cut.arrow', bytes.slice(0, bytes.length - 20), /cut off: its end is missing/)
    await refused('cut.arrow', table.slice(0, table.length - 40), /cut off, or a length in it is wrong/)
    await refused('text.arrow', 'id,name\n1,Zoë\n', /does not begin as an Arrow file does/)
  })

  test('whose lengths lie is refused, wherever they stand', async () => {
    let failures = 0
    for (let at = 0; at + 4 <= table.length; at += Math.max(4, 4 * Math.floor(table.length / 80))) {
      const lying = changed(table, at, 0xff, 0xff, 0xff, 0x7f)
      await bed.prepare('lying.arrow', lying).catch((thrown: unknown) => {
        failures += 1
        expect(thrown).toMatchObject({ code: 'INVALID_INPUT' })
      })
    }
    expect(failures).toBeGreaterThan(3)
    expect(await bed.rows(await bed.prepare('fine.csv', 'a\n1\n'))).toEqual([{ a: 1 }])
  })
})

describe('JSON', () => {
  test.each(['deep.json', 'deep.ndjson'])('nested 100,000 deep is refused: %s', async (fileName) => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    await refused(
      fileName,
      fileName === 'deep.json' ? `[${deep}]` : `${deep}\n`,
      /nested more than 1000 deep/
    )
  })

  test('that opens 100,000 arrays and closes none is refused', async () => {
    await refused('open.json', '['.repeat(100_000), /open.json/)
  })
})
