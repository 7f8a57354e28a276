import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RunCommand } from '../../workflow/run/run.ts'
import { createDeferred } from '../deferred.ts'
import { createRunWriter } from './run-writer.ts'

const log = (logId: string): RunCommand => ({ type: 'Log', logId, level: 'info', message: logId })
const idOf = (command: RunCommand): string => (command.type === 'Log' ? command.logId : command.type)

/** A storage whose every commit ends when the test says so. */
const slowStorage = () => {
  const batches: { readonly ids: readonly string[]; readonly end: (failure?: Error) => void }[] = []
  const execute = (...commands: readonly RunCommand[]): Promise<void> => {
    const { promise, resolve, reject } = createDeferred<void>()
    const end = (failure?: Error): void => (failure === undefined ? resolve() : reject(failure))
    batches.push({ ids: commands.map(idOf), end })
    return promise
  }
  return { batches, execute }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Long enough for what was told to be on its way. */
const breath = (): Promise<unknown> => vi.advanceTimersByTimeAsync(100)

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

test('whoever tells goes on at once; what comes during a commit shares the next, in order', async () => {
  const { batches, execute } = slowStorage()
  const writer = createRunWriter(execute)
  await writer.tell(log('1'))
  await breath()
  await writer.tell(log('2'), log('3'))
  await turns()
  await writer.tell(log('4'))
  await writer.tell(log('5'))

  let isWritten = false
  const written = writer.written().then(() => {
    isWritten = true
  })
  await turns()
  expect(isWritten).toBe(false)
  for (let at = 0; at < batches.length; at += 1) {
    batches[at]?.end()
    await turns()
  }
  await written
  expect(batches.flatMap(({ ids }) => ids)).toEqual(['1', '2', '3', '4', '5'])
  expect(batches.map(({ ids }) => ids)).toEqual([['1'], ['2', '3', '4', '5']])
})

test('after a failure nothing more is written, and whoever tells or waits learns of it', async () => {
  const { batches, execute } = slowStorage()
  const writer = createRunWriter(execute)
  await writer.tell(log('1'))
  await breath()
  await writer.tell(log('2'))
  batches[0]?.end(new Error('the disk is full'))
  await expect(writer.written()).rejects.toThrow('the disk is full')
  await expect(writer.tell(log('3'))).rejects.toThrow('the disk is full')
  await breath()
  expect(batches).toHaveLength(1)
})

test('whoever tells far more than can be written waits', async () => {
  const { batches, execute } = slowStorage()
  const writer = createRunWriter(execute)
  await writer.tell(log('first'))
  await breath()
  let went = false
  const telling = writer.tell(...Array.from({ length: 600 }, (_, index) => log(String(index)))).then(() => {
    went = true
  })
  await turns()
  expect(went).toBe(false)
  batches[0]?.end()
  await turns()
  batches[1]?.end()
  await telling
  expect(batches[1]?.ids).toHaveLength(600)
})

test('what is told within a breath is one commit, and does not wait for whoever asks for it', async () => {
  const { batches, execute } = slowStorage()
  const writer = createRunWriter(execute)
  await writer.tell(log('1'))
  await writer.tell(log('2'))
  await turns()
  expect(batches).toHaveLength(0)
  await breath()
  expect(batches.map(({ ids }) => ids)).toEqual([['1', '2']])
  batches[0]?.end()
  await turns()

  await writer.tell(log('3'))
  void writer.written()
  await turns()
  expect(batches.map(({ ids }) => ids)).toEqual([['1', '2'], ['3']])
})

test('the rest is what was told and is in no commit: whoever takes it writes it, and nobody else', async () => {
  const { batches, execute } = slowStorage()
  const writer = createRunWriter(execute)
  await writer.tell(log('1'))
  await breath()
  const waited = writer.rest()
  batches[0]?.end()
  expect(await waited).toEqual([])

  await writer.tell(log('2'))
  expect(await writer.rest()).toEqual([log('2')])
  await writer.written()
  await breath()
  expect(batches.map(({ ids }) => ids)).toEqual([['1']])
})

test('the rest is not given once a commit has failed', async () => {
  const { batches, execute } = slowStorage()
  const writer = createRunWriter(execute)
  await writer.tell(log('1'))
  await breath()
  const waited = writer.rest()
  batches[0]?.end(new Error('the disk is full'))
  await expect(waited).rejects.toThrow('the disk is full')
})
