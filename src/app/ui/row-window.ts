/**
 * The arithmetic of a grid that is taller than a browser allows. Browsers cap an element's height (Firefox at about
 * 17.8 million px), so beyond `MAX_HEIGHT` the scrollbar is scaled: `scrollTop` is the bar's, `top` is where one
 * stands among the rows, in px of unscaled rows.
 */
export const ROW_HEIGHT = 32
export const MAX_HEIGHT = 10_000_000

export type RowSpace = {
  /** Of the scrolled element. */
  readonly height: number
  /** Greatest `scrollTop`. */
  readonly maxScroll: number
  /** Greatest `top`. */
  readonly maxTop: number
  readonly isScaled: boolean
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value))

/** `viewport` is the height of the part that shows rows, without the header. */
export const rowSpace = (rows: number, viewport: number): RowSpace => {
  const real = rows * ROW_HEIGHT
  const height = Math.min(real, MAX_HEIGHT)
  return {
    height,
    maxScroll: Math.max(0, height - viewport),
    maxTop: Math.max(0, real - viewport),
    isScaled: real > MAX_HEIGHT
  }
}

export const topOfScroll = (space: RowSpace, scrollTop: number): number =>
  space.maxScroll === 0 ? 0 : clamp((scrollTop / space.maxScroll) * space.maxTop, 0, space.maxTop)

export const scrollOfTop = (space: RowSpace, top: number): number =>
  space.maxTop === 0 ? 0 : clamp((top / space.maxTop) * space.maxScroll, 0, space.maxScroll)

/** The rows to draw, `end` not included, with a few beyond each edge. */
export const visibleRows = (
  rows: number,
  top: number,
  viewport: number,
  overscan = 6
): { start: number; end: number } => ({
  start: clamp(Math.floor(top / ROW_HEIGHT) - overscan, 0, rows),
  end: clamp(Math.ceil((top + viewport) / ROW_HEIGHT) + overscan, 0, rows)
})

/** Where to stand so that a row is seen whole, moving no further than needed. */
export const topToReveal = (space: RowSpace, row: number, top: number, viewport: number): number => {
  const rowTop = row * ROW_HEIGHT
  if (rowTop < top) return clamp(rowTop, 0, space.maxTop)
  const lowest = rowTop + ROW_HEIGHT - viewport
  return clamp(Math.max(top, lowest), 0, space.maxTop)
}

/** Columns that stand in view, given where each begins; `end` not included. */
export const visibleColumns = (
  lefts: readonly number[],
  widths: readonly number[],
  scrollLeft: number,
  viewport: number
): { start: number; end: number } => {
  let start = 0
  while (start < lefts.length - 1 && (lefts[start] ?? 0) + (widths[start] ?? 0) <= scrollLeft) start += 1
  let end = start
  while (end < lefts.length && (lefts[end] ?? 0) < scrollLeft + viewport) end += 1
  return { start, end }
}
