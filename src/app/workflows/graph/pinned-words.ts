import type { Pin } from '../../../workflow/pin.ts'
import { formatQuantity } from '../../ui/format.ts'

/** How many rows a pin holds, of the port that a node is known by. */
export const pinnedRowsText = ({ ports }: Pin): string => {
  const rows = ports['out']?.rows ?? Object.values(ports).reduce((sum, port) => sum + port.rows, 0)
  return formatQuantity(rows, 'row')
}

export const pinMarkText = (pin: Pin): string =>
  `Pinned: ${pinnedRowsText(pin)} of an earlier run stand for what it gives`

/** What becomes of a draft's pins when it is published. */
export const publishedText = (pins: number): string => {
  const published = 'This version is now the active one. The next edit begins a new draft.'
  if (pins === 0) return published
  const left = pins === 1 ? '1 pinned output is not part of it' : `${pins} pinned outputs are not part of it`
  return `${published} ${left}: every node is computed.`
}
