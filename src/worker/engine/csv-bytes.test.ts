import { Float64, Int64, Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { typedColumn } from './duckdb-types.ts'
import { cellReader } from './arrow-rows.ts'
import { createByteWriter, csvCellWriter } from './csv-bytes.ts'
import { csvCell } from './csv-text.ts'

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const odd = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', ' a', 'a\n', '"', 'x,y', 'Zoë', '漢,"', '\u3000', 'a\u00a0', '\u0001', 'a\t')
)
const columns = [typedColumn('i', 'integer'), typedColumn('n', 'number'), typedColumn('t', 'text')]

test('cells put as bytes are the cells put as text', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.option(fc.oneof(fc.bigInt(INT64), fc.bigInt({ min: -1000n, max: 1000n }))),
          fc.option(fc.double()),
          fc.option(odd)
        ),
        { minLength: 1, maxLength: 20 }
      ),
      (rows) => {
        const table = new Table({
          i: vectorFromArray(
            rows.map(([value]) => value),
            new Int64()
          ),
          n: vectorFromArray(
            rows.map(([, value]) => value),
            new Float64()
          ),
          t: vectorFromArray(
            rows.map(([, , value]) => value),
            new Utf8()
          )
        })
        const batch = table.batches[0]
        for (const [at, column] of columns.entries()) {
          const vector = batch?.getChildAt(at)
          if (!vector) throw new Error('A column is missing.')
          const read = cellReader(vector, column)
          for (const row of rows.keys()) {
            const writer = createByteWriter(1)
            csvCellWriter(writer, vector, column, { columns: 3, losses: null })(row)
            expect(new TextDecoder().decode(writer.bytes.subarray(0, writer.length))).toBe(
              csvCell(read(row), 3)
            )
          }
        }
      }
    )
  )
})
