/** A number of a file whose digits a double would lose; kept as it is written. */
export type ExactNumber = { readonly exactText: string }
export const isExactNumber = (value: unknown): value is ExactNumber =>
  typeof value === 'object' && value !== null && 'exactText' in value

/** Any double holds this many significant digits. */
const SAFE_DIGITS = 15

const significant = (text: string): string => {
  const [mantissa = ''] = text.toLowerCase().split('e')
  return mantissa.replaceAll(/[-+.]/g, '').replace(/^0+/, '').replace(/0+$/, '')
}

/** A number as a file writes it: a double where that loses no digit, else a bigint or its text. */
export const parseExactNumber = (text: string): number | bigint | ExactNumber => {
  const value = Number(text)
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(value) ? value : BigInt(text)
  if (significant(text).length <= SAFE_DIGITS && Number.isFinite(value)) return value
  return significant(text) === significant(String(value)) ? value : { exactText: text }
}

/** Digits before and behind the point; null for a number with an exponent. */
export const decimalDigits = (text: string): { readonly whole: number; readonly scale: number } | null => {
  const parts = /^-?0*(\d*)(?:\.(\d+))?$/.exec(text)
  return parts === null ? null : { whole: parts[1]?.length ?? 0, scale: parts[2]?.length ?? 0 }
}
