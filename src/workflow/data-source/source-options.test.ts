import { describe, expect, it } from 'vitest'
import { overOwnOptions, SourceOptions } from './source-options.ts'

describe('options of a data source', () => {
  it('stand where a node says nothing, and give way to it key by key, types column by column', () => {
    const own = { delimiter: ';', quote: '', types: { zip: 'text', n: 'integer' } }
    expect(overOwnOptions(own, {})).toEqual(own)
    expect(overOwnOptions({}, own)).toEqual(own)
    expect(overOwnOptions(own, { quote: "'", header: false, types: { n: 'decimal' } })).toEqual({
      delimiter: ';',
      quote: "'",
      header: false,
      types: { zip: 'text', n: 'decimal' }
    })
  })

  it('name nothing that is not known, and no marks that could be taken for one another', () => {
    expect(SourceOptions.safeParse({ delimeter: ';' }).success).toBe(false)
    expect(SourceOptions.safeParse({ delimiter: ';', quote: ';' }).success).toBe(false)
    expect(SourceOptions.parse({ quote: '', encoding: 'utf-16be' })).toEqual({
      quote: '',
      encoding: 'utf-16be'
    })
  })
})
