const counts = new Intl.NumberFormat('en')

/** Counts in full: `1,048,576`. */
export const formatCount = (count: number | bigint): string => counts.format(count)

/** `1 row`, `1,048,576 rows`; `many` defaults to `one` with an s. */
export const formatQuantity = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`

const UNITS = ['KB', 'MB', 'GB', 'TB'] as const

/** `812 bytes`, `1.4 MB`; in steps of 1,000, as file managers and quotas count. */
export const formatBytes = (bytes: number): string => {
  if (bytes < 1_000) return formatQuantity(bytes, 'byte')
  let value = bytes / 1_000
  let unit = 0
  // 999.5 would be printed as 1000.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`
}

/** `420 ms`, `3.2 s`, `2 min 5 s`, `1 h 4 min`. */
export const formatDuration = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'long' })
const STEPS = [
  ['second', 1_000, 60],
  ['minute', 60_000, 60],
  ['hour', 3_600_000, 24],
  ['day', 86_400_000, 7],
  ['week', 604_800_000, 5],
  ['month', 2_629_800_000, 12],
  ['year', 31_557_600_000, Number.POSITIVE_INFINITY]
] as const

/** `just now`, `3 minutes ago`, `yesterday`. */
export const formatRelativeTime = (then: Date, now: Date): string => {
  const ms = then.getTime() - now.getTime()
  if (Math.abs(ms) < 10_000) return 'just now'
  for (const [unit, size, limit] of STEPS) {
    const amount = Math.round(ms / size)
    if (Math.abs(amount) < limit) return relative.format(amount, unit)
  }
  return exactTime(then)
}

const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/** In the person's own time zone: `24 Nov 2026, 14:03:20`. */
export const exactTime = (time: Date): string => exact.format(time)
