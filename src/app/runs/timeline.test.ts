import { describe, expect, it } from 'vitest'
import { stepBars } from './timeline.ts'

const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString()
const now = new Date(Date.UTC(2026, 0, 1) + 1_000)

describe('the bars of a run', () => {
  it('stand where their steps ran', () => {
    const bars = stepBars(
      { startedAt: at(0), finishedAt: at(1_000) },
      [
        { startedAt: at(0), finishedAt: at(250) },
        { startedAt: at(250), finishedAt: at(1_000) }
      ],
      now
    )
    expect(bars).toEqual([
      { left: 0, width: 25 },
      { left: 25, width: 75 }
    ])
  })

  it('go on to now while their step does', () => {
    const [bar] = stepBars(
      { startedAt: at(0), finishedAt: null },
      [{ startedAt: at(500), finishedAt: null }],
      now
    )
    expect(bar).toEqual({ left: 50, width: 50 })
  })

  it('are none for a step that never started, and never leave their place', () => {
    const bars = stepBars(
      { startedAt: at(0), finishedAt: at(0) },
      [
        { startedAt: null, finishedAt: at(0) },
        { startedAt: at(0), finishedAt: at(0) }
      ],
      now
    )
    expect(bars[0]).toBeNull()
    expect((bars[1]?.left ?? 0) + (bars[1]?.width ?? 0)).toBeLessThanOrEqual(100)
  })
})
