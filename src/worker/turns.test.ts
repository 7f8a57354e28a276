import { expect, test } from 'vitest'
import { createDeferred } from './deferred.ts'
import { createTurns } from './turns.ts'

test('work under one key waits for what was asked before it, also where that fails; other keys do not', async () => {
  const inTurn = createTurns<string>()
  const done: string[] = []
  const first = createDeferred<void>()
  const failing = inTurn('a', async () => {
    await first.promise
    done.push('a1')
    throw new Error('no')
  })
  const second = inTurn('a', async () => done.push('a2'))
  await inTurn('b', async () => done.push('b'))
  expect(done).toEqual(['b'])
  first.resolve()
  await expect(failing).rejects.toThrow('no')
  await second
  expect(done).toEqual(['b', 'a1', 'a2'])
})
