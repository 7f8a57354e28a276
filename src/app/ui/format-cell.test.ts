import { describe, expect, it } from 'vitest'
import { formatCell, readableText, wholeText } from './format-cell.ts'

describe('a cell', () => {
  it('tells NULL from empty text', () => {
    expect(formatCell(null, 'text')).toEqual({ text: 'NULL', tone: 'null' })
    expect(formatCell('', 'text')).toEqual({ text: '', tone: 'value' })
    // A text that says NULL is a value like any other.
    expect(formatCell('NULL', 'text')).toEqual({ text: 'NULL', tone: 'value' })
    expect(wholeText(null, 'text')).toBe('')
  })

  it('keeps every digit', () => {
    expect(formatCell(9_223_372_036_854_775_807n, 'integer').text).toBe('9223372036854775807')
    expect(formatCell('12345678901234567890.10', 'decimal').text).toBe('12345678901234567890.10')
    expect(formatCell(0, 'integer').text).toBe('0')
    expect(formatCell(false, 'boolean').text).toBe('false')
  })

  it('is one line, cut where it is long; what is copied is whole', () => {
    const long = `first\r\nsecond ${'x'.repeat(1_000)}`
    const { text, tone } = formatCell(long, 'text')
    expect(tone).toBe('cut')
    expect(text.startsWith('first ⏎ second')).toBe(true)
    expect(text.length).toBeLessThan(320)
    expect(wholeText(long, 'text')).toBe(long)
  })

  it('shows JSON, bytes and times as they are read', () => {
    expect(formatCell({ a: 9_007_199_254_740_993n }, 'json').text).toBe('{"a":"9007199254740993"}')
    expect(readableText('{"a":[1]}', 'json')).toBe('{\n  "a": [\n    1\n  ]\n}')
    expect(readableText('{broken', 'json')).toBe('{broken')
    expect(formatCell(new Uint8Array([0, 255, 16]), 'bytes').text).toBe('00 ff 10')
    expect(formatCell('2026-03-04T10:11:12.000', 'timestamp').text).toBe('2026-03-04 10:11:12.000')
  })
})
