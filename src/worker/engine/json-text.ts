import type { Column } from '../../workflow/value-type.ts'
import type { CellValue } from './arrow-rows.ts'
import { hexText } from './csv-text.ts'
import type { Losses } from './sink-losses.ts'

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** A value inside a JSON file. Integers and decimals are numbers with every digit; infinities, which JSON lacks, are text. */
export const jsonMember = (value: CellValue, { name, type }: Column, losses: Losses): string => {
  if (value === null) return 'null'
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
    losses.note('json-not-finite', name)
    return JSON.stringify(String(value))
  }
  if (value instanceof Uint8Array) {
    losses.note('json-bytes', name)
    return JSON.stringify(hexText(value))
  }
  if (typeof value === 'string' && (type === 'decimal' || (type === 'json' && isJson(value)))) return value
  return JSON.stringify(value)
}
