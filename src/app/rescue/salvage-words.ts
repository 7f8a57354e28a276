import type { LostRange, SalvagedTable, SalvageProgress } from '../../worker/api.ts'
import { formatCount, formatQuantity } from '../ui/format.ts'

/** Rows that could not be read, by their numbers: of events, their positions. */
const wordsOfRange = ({ after, before }: LostRange): string => {
  if (before === null) return after === 0 ? 'all of it' : `everything after ${formatCount(after)}`
  const [from, to] = [after + 1, before - 1]
  return from === to ? formatCount(from) : `${formatCount(from)} to ${formatCount(to)}`
}

/** So many ranges are named; more of them say no more to a person. */
const NAMED = 20

/** What of a table was not taken over, in a sentence; null where all of it was. */
export const wordsOfLoss = ({ name, lost, refused }: SalvagedTable): string | null => {
  const named = lost.slice(0, NAMED).map(wordsOfRange).join('; ')
  const more = lost.length > NAMED ? `; and ${formatQuantity(lost.length - NAMED, 'more range')}` : ''
  const parts = [
    ...(lost.length > 0 ? [`not readable: ${named}${more}`] : []),
    ...(refused > 0 ? [`${formatQuantity(refused, 'row')} read, but not what was stored`] : [])
  ]
  return parts.length === 0 ? null : `${name}: ${parts.join(', and ')}.`
}

export const wordsOfProgress = ({ table, tablesDone, tables, rows }: SalvageProgress): string =>
  `Reading ${table}, table ${formatCount(tablesDone + 1)} of ${formatCount(tables)}; ${formatQuantity(rows, 'row')} read.`
