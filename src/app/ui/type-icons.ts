import type { Page } from '../../worker/api.ts'

/** The mark of a column's type, where its word has no room. */
export const typeIcons: Readonly<Record<Page['columns'][number]['type'], string>> = {
  boolean: 'i-lucide-toggle-left',
  integer: 'i-lucide-hash',
  number: 'i-lucide-hash',
  decimal: 'i-lucide-decimals-arrow-right',
  text: 'i-lucide-type',
  date: 'i-lucide-calendar',
  time: 'i-lucide-clock',
  timestamp: 'i-lucide-calendar-clock',
  json: 'i-lucide-braces',
  bytes: 'i-lucide-binary'
}
