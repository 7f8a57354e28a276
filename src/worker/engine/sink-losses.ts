/** What a format cannot hold as it is, and what is written instead. */
const WORDS = {
  'json-not-finite': 'are not finite, which JSON has no numbers for: they are written as text',
  'json-bytes': 'are bytes: they are written as hexadecimal text',
  'csv-bytes': 'are bytes: they are written as hexadecimal text',
  'csv-formula': 'begin as a formula does: each is written behind an apostrophe',
  'xlsx-bytes': 'are bytes: they are written as hexadecimal text',
  'xlsx-digits': 'have more digits than the 15 of Excel’s numbers: they are written as text',
  'xlsx-not-finite': 'are not finite, which Excel has no numbers for: they are written as text',
  'xlsx-date':
    'are dates before March 1900 or after 9999, which Excel does not have: they are written as text',
  'xlsx-fraction': 'are finer than a millisecond, which Excel does not hold: they are written as text',
  'xlsx-characters': 'hold control characters, which a sheet cannot hold: these are left out',
  'xlsx-empty': 'are empty text, which a sheet cannot tell from no value',
  'huge-integer': 'are integers of more than 64 bits: they are written as text'
} as const
export type Loss = keyof typeof WORDS

/** Counts what a file could not hold as it was, by column. */
export type Losses = {
  readonly note: (loss: Loss, column: string, count?: number) => void
  readonly counted: () => readonly { readonly loss: Loss; readonly column: string; readonly count: number }[]
  /** One sentence a column and loss, for a person. */
  readonly messages: () => readonly string[]
}

export const createLosses = (): Losses => {
  const counts = new Map<string, { readonly loss: Loss; readonly column: string; count: number }>()
  return {
    note: (loss, column, count = 1) => {
      const key = `${loss} ${column}`
      const known = counts.get(key)
      if (known === undefined) counts.set(key, { loss, column, count })
      else known.count += count
    },
    counted: () => [...counts.values()],
    messages: () =>
      [...counts.values()].map(
        ({ loss, column, count }) =>
          `${count.toLocaleString('en')} ${count === 1 ? 'value' : 'values'} of "${column}" ${WORDS[loss]}.`
      )
  }
}
