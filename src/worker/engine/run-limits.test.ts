import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { watchLimits } from './run-limits.ts'

const never = new AbortController().signal

describe('the limits of a run', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('count rows and bytes over all that is written, and say which was passed', () => {
    const watch = watchLimits({ rows: 10, bytes: 1_000 }, never)
    watch.wrote({ rows: 10, bytes: 1_000 })
    expect(watch.passed()).toBeNull()
    expect(() => watch.wrote({ rows: 1 })).toThrow('Canceled.')
    expect(watch.signal.aborted).toBe(true)
    expect(watch.passed()).toMatchObject({
      code: 'INVALID_INPUT',
      details: { reason: 'limit-rows', limit: 10, found: 11 }
    })
    expect(watch.passed()?.message).toContain('Raise the limit')
  })

  test('end what takes too long, and nothing once the run has ended', () => {
    const watch = watchLimits({ ms: 500 }, never)
    vi.advanceTimersByTime(499)
    expect(watch.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(watch.passed()?.details).toMatchObject({ reason: 'limit-ms', limit: 500 })
    const ended = watchLimits({ ms: 500 }, never)
    ended.end()
    vi.advanceTimersByTime(1_000)
    expect(ended.passed()).toBeNull()
  })

  test('count what earlier attempts wrote and took', () => {
    const watch = watchLimits({ rows: 10, ms: 500 }, never, { rows: 9, bytes: 0, ms: 400 })
    watch.wrote({ rows: 1 })
    vi.advanceTimersByTime(99)
    expect(watch.passed()).toBeNull()
    vi.advanceTimersByTime(1)
    expect(watch.passed()?.details).toMatchObject({ reason: 'limit-ms', limit: 500 })
    const rows = watchLimits({ rows: 10 }, never, { rows: 9, bytes: 0, ms: 0 })
    expect(() => rows.wrote({ rows: 2 })).toThrow('Canceled.')
    expect(rows.passed()?.details).toMatchObject({ reason: 'limit-rows', found: 11 })
  })

  test('leave a cancel a cancel', () => {
    const abortion = new AbortController()
    const watch = watchLimits({ rows: 1 }, abortion.signal)
    abortion.abort()
    expect(watch.signal.aborted).toBe(true)
    expect(watch.passed()).toBeNull()
  })
})
