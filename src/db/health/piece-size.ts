/** A piece of a table is read in one go: so many rows at first and at the most, and about so many bytes of them. */
export const FIRST_PIECE = 16
const MOST_ROWS = 1_000
const ABOUT_BYTES = 1024 * 1024

/** How many rows to take next, where the last ones had so many bytes: a row may be a number, or a document. */
export const nextPiece = (rows: number, bytes: number): number =>
  Math.max(1, Math.min(MOST_ROWS, 4 * rows, Math.floor((rows * ABOUT_BYTES) / Math.max(bytes, 1))))
