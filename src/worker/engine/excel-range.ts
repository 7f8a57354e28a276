/** A part of a sheet, rows and columns from 0, both ends in it. */
export type SheetRange = {
  readonly top: number
  readonly left: number
  readonly bottom: number
  readonly right: number
}

/** `A` is 0, `Z` 25, `AA` 26. */
export const columnNumber = (letters: string): number => {
  let number = 0
  for (const letter of letters) number = number * 26 + (letter.charCodeAt(0) - 64)
  return number - 1
}

const RANGE = /^\$?([A-Z]{1,3})\$?([1-9]\d{0,6}):\$?([A-Z]{1,3})\$?([1-9]\d{0,6})$/

/** Reads `A1:F200`, also with `$` and in small letters; undefined for what is none. Its corners may stand in any order. */
export const parseRange = (text: string): SheetRange | undefined => {
  const [, left, top, right, bottom] = RANGE.exec(text.trim().toUpperCase()) ?? []
  if (left === undefined || top === undefined || right === undefined || bottom === undefined) return undefined
  const columns = [columnNumber(left), columnNumber(right)]
  const rows = [Number(top) - 1, Number(bottom) - 1]
  return {
    top: Math.min(...rows),
    bottom: Math.max(...rows),
    left: Math.min(...columns),
    right: Math.max(...columns)
  }
}

export const cutRange = <T>(rows: readonly (readonly T[])[], range: SheetRange): (readonly T[])[] =>
  rows.slice(range.top, range.bottom + 1).map((row) => row.slice(range.left, range.right + 1))
