import { beforeAll, expect, test } from 'vitest'
import type { Binder } from '../../workflow/binder.ts'
import type { Column } from '../../workflow/value-type.ts'
import { startEngine, type Engine } from '../../workflow/contract/duckdb.ts'
import { rememberAnswers } from './remembered-binder.ts'

const NUMBER: readonly Column[] = [{ name: 'n', type: 'integer', engineType: 'BIGINT' }]
const TEXT: readonly Column[] = [{ name: 'n', type: 'text', engineType: 'VARCHAR' }]

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const counted = (binder: Binder) => {
  const asked: string[] = []
  const count =
    <Args extends readonly unknown[], Answer>(name: string, ask: (...args: Args) => Promise<Answer>) =>
    (...args: Args): Promise<Answer> => {
      asked.push(name)
      return ask(...args)
    }
  return {
    asked,
    binder: rememberAnswers({
      describe: count('describe', binder.describe),
      checkScalar: count('scalar', binder.checkScalar),
      checkAggregate: count('aggregate', binder.checkAggregate)
    })
  }
}

test('asks the engine once for the same text over the same columns, and again for others', async () => {
  const { asked, binder } = counted(engine.binder)

  expect(await binder.checkScalar('n + 1', NUMBER)).toEqual({ ok: true })
  expect(await binder.checkScalar('n + 1', NUMBER)).toEqual({ ok: true })
  expect(asked).toEqual(['scalar'])

  expect(await binder.checkScalar("n + DATE '2024-01-01' + n", TEXT)).toMatchObject({ ok: false })
  expect(await binder.checkAggregate('n + 1', NUMBER)).toMatchObject({ ok: false })
  expect(await binder.checkScalar('n + 1', TEXT)).toEqual(await engine.binder.checkScalar('n + 1', TEXT))
  expect(asked).toEqual(['scalar', 'scalar', 'aggregate', 'scalar'])

  const shape = [{ name: 'rows', columns: NUMBER }]
  const described = await binder.describe('SELECT n AS m FROM rows', shape)
  expect(described).toMatchObject({ ok: true, columns: [{ name: 'm' }] })
  expect(await binder.describe('SELECT n AS m FROM rows', shape)).toEqual(described)
  expect(asked.filter((name) => name === 'describe')).toHaveLength(1)
})

test('asks again what could not be answered', async () => {
  let fails = true
  const binder = rememberAnswers({
    ...engine.binder,
    checkScalar: async (...args) => {
      if (!fails) return engine.binder.checkScalar(...args)
      fails = false
      throw new Error('the engine ended')
    }
  })
  await expect(binder.checkScalar('n', NUMBER)).rejects.toThrow('the engine ended')
  expect(await binder.checkScalar('n', NUMBER)).toEqual({ ok: true })
})
