import { expect, test } from 'vitest'
import { createDeferred } from '../deferred.ts'
import { carryOutTasks, createEnding, type Task } from './schedule.ts'

/** Tasks that end when they are told to, and what has begun and ended so far. */
const bench = () => {
  const told: string[] = []
  const gates = new Map<string, ReturnType<typeof createDeferred<void>>>()
  const task = (gives: string, needs: readonly string[] = [], isAsking = false): Task => ({
    gives,
    needs,
    isAsking,
    work: async (free) => {
      if (isAsking) free()
      told.push(`+${gives}`)
      const gate = createDeferred<void>()
      gates.set(gives, gate)
      await gate.promise
      told.push(`-${gives}`)
    }
  })
  const settle = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
  return {
    told,
    task,
    settle,
    end: async (gives: string): Promise<void> => {
      gates.get(gives)?.resolve()
      await settle()
    },
    fail: async (gives: string, cause: unknown): Promise<void> => {
      gates.get(gives)?.reject(cause)
      await settle()
    }
  }
}

test('the engine does one thing at a time, in order; services are asked beside it and beside each other', async () => {
  const { told, task, settle, end } = bench()
  const done = carryOutTasks(
    [
      task('keyed a'),
      task('answers a', ['keyed a'], true),
      task('keyed b'),
      task('answers b', ['keyed b'], true),
      task('sink a', ['answers a', 'keyed a']),
      task('sink b', ['answers b']),
      task('sink c', ['a source'])
    ],
    createEnding()
  )
  await settle()
  expect(told).toEqual(['+keyed a'])
  await end('keyed a')
  expect(told.splice(0)).toEqual(['+keyed a', '-keyed a', '+answers a', '+keyed b'])
  await end('keyed b')
  // What asks nobody waits for no service.
  expect(told.splice(0)).toEqual(['-keyed b', '+answers b', '+sink c'])
  await end('answers b')
  expect(told.splice(0)).toEqual(['-answers b'])
  await end('sink c')
  expect(told.splice(0)).toEqual(['-sink c', '+sink b'])
  await end('answers a')
  await end('sink b')
  expect(told.splice(0)).toEqual(['-answers a', '-sink b', '+sink a'])
  await end('sink a')
  await done
})

test('after a failure nothing more begins, and what is going on ends before it is told', async () => {
  const { told, task, settle, end, fail } = bench()
  const ending = createEnding()
  let isTold = false
  const done = carryOutTasks(
    [task('a', [], true), task('b', [], true), task('c'), task('d', ['b']), task('e')],
    ending
  ).finally(() => {
    isTold = true
  })
  done.catch(() => undefined)
  await settle()
  await fail('a', new Error('first'))
  expect(ending.signal.aborted).toBe(true)
  await fail('c', new Error('second, since it was stopped'))
  expect(isTold).toBe(false)
  await end('b')
  await expect(done).rejects.toThrow('first')
  expect(told).toEqual(['+a', '+b', '+c', '-b'])
})

test('the engine begins nothing before an asking has what it asks for', async () => {
  const { told, task, settle, end } = bench()
  let isFree = (): void => undefined
  const asking: Task = {
    ...task('answers', ['keyed'], true),
    work: async (free) => {
      told.push('+answers')
      await new Promise<void>((resolve) => {
        isFree = () => {
          free()
          resolve()
        }
      })
    }
  }
  const done = carryOutTasks([task('keyed'), asking, task('sink')], createEnding())
  await settle()
  await end('keyed')
  expect(told).toEqual(['+keyed', '-keyed', '+answers'])
  isFree()
  await settle()
  expect(told.at(-1)).toBe('+sink')
  await end('sink')
  await done
})

test('tasks that wait for each other are said, and not waited for', async () => {
  const { task } = bench()
  await expect(carryOutTasks([task('a', ['b']), task('b', ['a'])], createEnding())).rejects.toThrow('a, b')
})
