import type { ArchivePreview } from '../../../worker/api.ts'
import { formatBytes, formatQuantity } from '../../ui/format.ts'

const KINDS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  run: ['run', 'runs'],
  workflow: ['removed workflow', 'removed workflows'],
  datasource: ['removed data source', 'removed data sources'],
  catalog: ['removed catalog item', 'removed catalog items']
}

const toList = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`

/** `120 runs and 1 removed workflow`. */
const streamsInWords = (streams: ArchivePreview['streams']): string =>
  toList(
    Object.entries(streams).map(([type, count]) => {
      const [one, many] = KINDS[type] ?? [`${type} stream`, `${type} streams`]
      return formatQuantity(count, one, many)
    })
  )

/** What could be archived, in a sentence; null where there is nothing. */
export const previewInWords = ({ streams, events, bytes }: ArchivePreview): string | null =>
  events === 0
    ? null
    : `${streamsInWords(streams)} can be archived: ${formatQuantity(events, 'event')} that take about ${formatBytes(bytes)} of the database.`

/** How long ago something must have ended to be archived. */
export const AGES: readonly { readonly value: number; readonly label: string }[] = [
  { value: 0, label: 'Whenever it ended' },
  { value: 7, label: 'Ended over a week ago' },
  { value: 30, label: 'Ended over 30 days ago' },
  { value: 365, label: 'Ended over a year ago' }
]

const DAY_MS = 86_400_000

/** Undefined for whatever has ended. */
export const endedBefore = (days: number, now: Date): string | undefined =>
  days === 0 ? undefined : new Date(now.getTime() - days * DAY_MS).toISOString()
