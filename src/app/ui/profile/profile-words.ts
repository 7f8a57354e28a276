import type { ColumnProfile, TableProfile } from '../../../worker/api.ts'
import { formatCount } from '../format.ts'

const shares = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })
const numbers = new Intl.NumberFormat('en', { maximumSignificantDigits: 5 })

/** `12 (0.1 %)` of so many rows; nothing of nothing. */
export const countWords = (count: number, rows: number): string =>
  count === 0 || rows === 0 ? formatCount(count) : `${formatCount(count)} (${shareWords(count / rows)})`

/** What is there is not called 0 %, nor what is not all 100 %. */
const shareWords = (share: number): string => {
  if (share > 0 && share < 0.001) return '< 0.1%'
  if (share > 0.999 && share < 1) return '> 99.9%'
  return shares.format(share)
}

export const distinctWords = (count: number, isExact: boolean): string =>
  isExact ? formatCount(count) : `about ${formatCount(count)}`

/** A quantile as its column's values look; days and moments come in seconds since 1970. */
export const quantileWords = (value: number, type: ColumnProfile['type']): string => {
  if (type !== 'date' && type !== 'timestamp') return numbers.format(value)
  const moment = new Date(value * 1_000)
  // JavaScript's calendar ends before the engine's.
  if (Number.isNaN(moment.getTime())) return numbers.format(value)
  const text = moment.toISOString()
  return type === 'date' ? text.slice(0, text.indexOf('T')) : text.slice(0, 19).replace('T', ' ')
}

/** What a reader has to know of how a profile was made; null where nothing. */
export const caveat = ({ rows, total, isExact }: TableProfile): string | null => {
  const first = rows < total ? [`Of the first ${formatCount(rows)} of ${formatCount(total)} rows.`] : []
  const estimated = isExact ? [] : ['Distinct values and quantiles are estimated; the rest is exact.']
  return [...first, ...estimated].join(' ') || null
}
