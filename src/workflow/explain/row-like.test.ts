import { beforeAll, expect, it } from 'vitest'
import { startEngine, type Engine } from '../contract/duckdb.ts'
import type { Column } from '../value-type.ts'
import { rowLike, toMarkedRow, type MarkedRow } from './explain-cell.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
  engine.rows(`CREATE TABLE asked AS SELECT 'x' AS code`)
  // Computed again, the equal rows came in another order, and one of another code among them.
  engine.rows(
    `CREATE TABLE again AS FROM (VALUES ('x', 7, 1), ('y', 5, 0), ('x', 3, 0), ('x', 3, 1)) t(code, "_m:row", "_m:all")`
  )
}, 60_000)

const CODE: Column = { name: 'code', type: 'text', engineType: 'VARCHAR' }
const mark = (name: string): Column => ({ name, type: 'integer', engineType: 'BIGINT' })
const found = (at: number, marked?: MarkedRow) =>
  engine
    .rows(rowLike([CODE], 'asked', at, '_m:', marked)('again'))
    .map((row) => [Number(row['_m:row']), Number(row['_m:all'])])
const marksOf = (kept: readonly string[], numbers: readonly (number | null)[]) =>
  toMarkedRow(
    {
      plan: { relations: [{ id: 'r', columns: [CODE, mark('_m:row'), mark('_m:all')] }] },
      carried: { prefix: '_m:' }
    } as unknown as Parameters<typeof toMarkedRow>[0],
    'r',
    kept,
    numbers
  )

it('takes of equal rows the one at the same place, where nothing else is known', () => {
  expect(found(0)).toEqual([[7, 1]])
  expect(found(2)).toEqual([[3, 0]])
})

it('takes the row that has the marks, wherever it stands now', () => {
  expect(found(0, marksOf(['row', 'all'], [3, 1]))).toEqual([[3, 1]])
  expect(found(3, marksOf(['row', 'all'], [7, 1]))).toEqual([[7, 1]])
})

it('takes of those that have the marks that are known the one that is next to its place', () => {
  expect(found(3, marksOf(['row', 'all'], [3, null]))).toEqual([[3, 1]])
  expect(found(0, marksOf(['row'], [3]))).toEqual([[3, 0]])
})

it('takes none that differs in a value, whatever its marks', () => {
  expect(found(1, marksOf(['row', 'all'], [5, 0]))).toEqual([])
})

it('knows nothing of marks that an explanation does not have', () => {
  expect(marksOf(['other'], [1])).toBeUndefined()
  expect(marksOf(['row'], [null])).toBeUndefined()
})
