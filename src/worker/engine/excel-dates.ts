const DAY_MS = 86_400_000
/** Days from the beginning of the sheet's calendar to 1970, as whoever read the sheet counted them. */
const DAYS_TO_1970 = 25_569
const DAYS_TO_1904 = 1_462
/** The day that Excel takes 29 February 1900 for, which never was. */
const NO_SUCH_DAY = 60

const timeText = (date: Date): string =>
  date
    .toISOString()
    .slice(11)
    .replace(/(\.000)?Z$/, '')
const isMidnight = (date: Date): boolean => date.getTime() % DAY_MS === 0

const asText = (date: Date): string => {
  if (Number.isNaN(date.getTime())) return ''
  const [day = ''] = date.toISOString().split('T')
  return isMidnight(date) ? day : `${day}T${timeText(date)}`
}

/**
 * A sheet's date as Excel shows it. What lies before 1900, where Excel has no dates, and a time without a day come as
 * text; so does 29 February 1900, which Excel has and the calendar has not.
 */
export const sheetDate = (date: Date, is1904: boolean): Date | string => {
  if (is1904)
    return date.getTime() < Date.UTC(1900, 0, 1) || Number.isNaN(date.getTime()) ? asText(date) : date
  const serial = date.getTime() / DAY_MS + DAYS_TO_1970
  if (serial >= NO_SUCH_DAY + 1) return date
  if (serial >= NO_SUCH_DAY) return `1900-02-29${isMidnight(date) ? '' : `T${timeText(date)}`}`
  // Before that day Excel counts from 1 January; whoever leaves it out from 31 December.
  if (serial >= 1) return new Date(date.getTime() + DAY_MS)
  return serial >= 0 ? timeText(date) : asText(date)
}

/** A date of a sheet in the calendar of 1904 that was counted as one of 1900. */
export const countedFrom1904 = (date: Date): Date => new Date(date.getTime() + DAYS_TO_1904 * DAY_MS)
