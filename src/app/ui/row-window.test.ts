import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  MAX_HEIGHT,
  ROW_HEIGHT,
  rowSpace,
  scrollOfTop,
  topOfScroll,
  topToReveal,
  visibleColumns,
  visibleRows
} from './row-window.ts'

const rows = fc.integer({ min: 1, max: 50_000_000 })
const viewport = fc.integer({ min: ROW_HEIGHT, max: 2_000 })

describe('the space that a grid scrolls', () => {
  it('is the rows themselves while a browser allows it', () => {
    const space = rowSpace(1_000, 600)
    expect(space).toEqual({ height: 32_000, maxScroll: 31_400, maxTop: 31_400, isScaled: false })
    expect(topOfScroll(space, 1_234)).toBeCloseTo(1_234)
  })

  it('never grows past what a browser allows, and still leads to the last row', () => {
    fc.assert(
      fc.property(rows, viewport, (count, height) => {
        const space = rowSpace(count, height)
        expect(space.height).toBeLessThanOrEqual(MAX_HEIGHT)
        const top = topOfScroll(space, space.maxScroll)
        expect(visibleRows(count, top, height).end).toBe(count)
        expect(visibleRows(count, topOfScroll(space, 0), height).start).toBe(0)
      })
    )
  })

  it('brings a place back from the scrollbar', () => {
    fc.assert(
      fc.property(rows, viewport, fc.double({ min: 0, max: 1, noNaN: true }), (count, height, share) => {
        const space = rowSpace(count, height)
        const top = share * space.maxTop
        expect(topOfScroll(space, scrollOfTop(space, top))).toBeCloseTo(top, 3)
      })
    )
  })

  it('shows a row that is asked for whole, from wherever one stands', () => {
    fc.assert(
      fc.property(
        rows,
        viewport,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (count, height, at, asked) => {
          const space = rowSpace(count, height)
          const row = Math.min(count - 1, Math.floor(asked * count))
          const top = topToReveal(space, row, at * space.maxTop, height)
          expect(row * ROW_HEIGHT).toBeGreaterThanOrEqual(top - 0.01)
          expect((row + 1) * ROW_HEIGHT).toBeLessThanOrEqual(top + height + 0.01)
        }
      )
    )
  })

  it('does not move for a row that is in view', () => {
    expect(topToReveal(rowSpace(1_000, 320), 12, 352, 320)).toBe(352)
  })
})

describe('the columns in view', () => {
  const widths = [100, 50, 200, 80]
  const lefts = [0, 100, 150, 350]

  it('are those that the window touches', () => {
    expect(visibleColumns(lefts, widths, 0, 120)).toEqual({ start: 0, end: 2 })
    expect(visibleColumns(lefts, widths, 100, 40)).toEqual({ start: 1, end: 2 })
    expect(visibleColumns(lefts, widths, 160, 1_000)).toEqual({ start: 2, end: 4 })
  })

  it('are none of no columns', () => {
    expect(visibleColumns([], [], 0, 500)).toEqual({ start: 0, end: 0 })
  })
})
