import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPace } from './pace.ts'
import { backoffMs, isWorthAnotherTry, maySendAgain, parseRetryAfter } from './retry.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')

describe('Retry-After', () => {
  it.each([
    ['3', 3_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', null],
    ['-3', null],
    ['1.5', null],
    [null, null]
  ])('%j means %j', (header, expected) => expect(parseRetryAfter(header, NOW)).toBe(expected))
})

describe('the pause before another attempt', () => {
  const policy = { times: 5, backoffMs: 100 }
  it('doubles, with at most half of it left to chance', () => {
    expect([1, 2, 3].map((attempt) => backoffMs(policy, attempt, 0, null))).toEqual([50, 100, 200])
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, random) => {
          const pause = backoffMs(policy, n, random, null)
          const full = Math.min(60_000, 100 * 2 ** (n - 1))
          expect(pause).toBeGreaterThanOrEqual(full / 2)
          expect(pause).toBeLessThanOrEqual(full)
        }
      )
    )
  })
  it('is never shorter than the service asked for', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (asked, random) => {
        expect(backoffMs(policy, 1, random, asked)).toBeGreaterThanOrEqual(asked)
      })
    )
  })
})

describe('another try', () => {
  it('is for safe methods when nobody knows whether the first arrived', () => {
    expect(['GET', 'HEAD', 'OPTIONS'].map((method) => maySendAgain(method, false))).toEqual([
      true,
      true,
      true
    ])
    expect(['PUT', 'DELETE'].map((method) => maySendAgain(method, false))).toEqual([false, false])
    expect(['PUT', 'DELETE'].map((method) => maySendAgain(method, true))).toEqual([true, true])
    expect(['POST', 'PATCH'].map((method) => maySendAgain(method, true))).toEqual([false, false])
  })
  it('is for any method when the service refused to begin', () => {
    expect([429, 503].map((status) => isWorthAnotherTry(status, 'POST', false))).toEqual([true, true])
    expect([500, 502, 504].map((status) => isWorthAnotherTry(status, 'POST', false))).toEqual([
      false,
      false,
      false
    ])
    expect([500, 502, 504].map((status) => isWorthAnotherTry(status, 'GET', false))).toEqual([
      true,
      true,
      true
    ])
    expect([400, 401, 404].map((status) => isWorthAnotherTry(status, 'GET', false))).toEqual([
      false,
      false,
      false
    ])
  })
})

describe('the pace', () => {
  it('leaves the same gap between requests, however they come', () => {
    const pace = createPace(4)
    expect([0, 0, 0, 2_000, 2_000].map((now) => pace.next(now))).toEqual([0, 250, 500, 2_000, 2_250])
  })
  it('waits for a service that said "later", and without a limit for nobody else', () => {
    const pace = createPace(undefined)
    expect(pace.next(5)).toBe(5)
    pace.holdUntil(100)
    pace.holdUntil(50)
    expect([pace.next(6), pace.next(120)]).toEqual([100, 120])
  })
  it('never lets more through in any second than the rate', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { minLength: 2 }), fc.integer({ min: 1, max: 50 }), (waits, rate) => {
        const pace = createPace(rate)
        let now = 0
        const times = waits.map((wait) => pace.next((now += wait)))
        const close = times.filter(
          (at, index) => index > 0 && at - (times[index - 1] ?? 0) < 1_000 / rate - 1e-6
        )
        expect(close).toEqual([])
      })
    )
  })
})
