import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bodyForm, columnsOf, fillBody, fillHeader, fillPath, type TemplateRow } from './template.ts'

const row = (values: Record<string, string | null>): TemplateRow =>
  new Map(
    Object.entries(values).map(([name, text]) => [
      name.toLowerCase(),
      text === null ? null : { text, type: 'text' }
    ])
  )
const textOf = (answer: { ok: boolean; text?: string }): string => {
  if (answer.text === undefined) throw new Error(JSON.stringify(answer))
  return answer.text
}

/** What somebody could have put into a cell to get out of the place that it is for. */
const INJECTIONS = [
  '../admin',
  '/admin',
  '//evil.example',
  '?all=1',
  '&role=admin',
  '#x',
  '%2e%2e%2f',
  'a\\..\\b',
  '@evil.example',
  ':80@evil.example/',
  'a b',
  'ä€😀',
  '","admin":true,"x":"',
  '"}',
  '\\"',
  '\\',
  '\u2028',
  '{{other}}',
  "'; DROP TABLE t; --"
]

describe('a path', () => {
  it.each(INJECTIONS)('keeps %j one segment and one parameter of the same host', (value) => {
    const path = textOf(fillPath('/people/{{id}}/x?q={{id}}&z=1', row({ id: value })))
    const url = new URL(`https://api.example/v1${path}`)
    expect(url.host).toBe('api.example')
    expect(url.pathname.split('/').map(decodeURIComponent)).toEqual(['', 'v1', 'people', value, 'x'])
    expect([...url.searchParams]).toEqual([
      ['q', value],
      ['z', '1']
    ])
    expect(url.hash).toBe('')
  })

  it('keeps every text that can be sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
        fc.pre(!/^\.{1,2}$/.test(value))
        const url = new URL(`https://h.example${textOf(fillPath('/a/{{v}}/b?c={{v}}', row({ v: value })))}`)
        expect(url.pathname.split('/').map(decodeURIComponent)).toEqual(['', 'a', value, 'b'])
        expect(url.searchParams.get('c')).toBe(value)
      })
    )
  })

  it.each(['.', '..'])('refuses %j as a segment, and half of it', (value) => {
    expect(fillPath('/people/{{id}}', row({ id: value })).ok).toBe(false)
    expect(fillPath('/people/.{{id}}', row({ id: '.' })).ok).toBe(false)
    expect(fillPath('/people/{{id}}x', row({ id: value })).ok).toBe(true)
    expect(fillPath('/people?id={{id}}', row({ id: value })).ok).toBe(true)
  })

  it.each([null, ''])('refuses to be shorter for an empty value (%j), but not in the query', (value) => {
    expect(fillPath('/people/{{id}}', row({ id: value }))).toMatchObject({ ok: false })
    expect(fillPath('/people?id={{id}}', row({ id: value }))).toEqual({ ok: true, text: '/people?id=' })
  })

  it('refuses half a character', () => {
    expect(fillPath('/{{id}}', row({ id: 'a\uD800' })).ok).toBe(false)
  })
})

describe('a header', () => {
  it.each(['a\r\nX-Admin: 1', 'a\nb', 'a\rb', 'a\u0000b', 'Ω'])('refuses %j', (value) => {
    expect(fillHeader('Bearer {{token}}', row({ token: value })).ok).toBe(false)
  })
  it('takes what Headers take, and no more', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const filled = fillHeader('x{{v}}x', row({ v: value }))
        if (filled.ok) expect(new Headers({ a: filled.text }).get('a')).toBe(filled.text)
      })
    )
  })
})

describe('a JSON body', () => {
  it.each(INJECTIONS)('as a value keeps %j one text', (value) => {
    const body = textOf(
      fillBody({ name: '{{n}}', greeting: 'Hi {{n}}!', list: ['{{n}}'] }, row({ n: value }), 'json')
    )
    expect(JSON.parse(body)).toEqual({ name: value, greeting: `Hi ${value}!`, list: [value] })
  })

  it.each(INJECTIONS)('as text keeps %j inside its quotes, or gives it quotes', (value) => {
    const body = textOf(fillBody('{"name": "Hi {{n}}!", "raw": {{n}}}', row({ n: value }), 'json'))
    expect(JSON.parse(body)).toEqual({ name: `Hi ${value}!`, raw: value })
  })

  it('keeps any text, in either way of writing it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const expected = { a: value, b: `\\"${value}` }
        const values = row({ v: value })
        expect(JSON.parse(textOf(fillBody({ a: '{{v}}', b: '\\"{{v}}' }, values, 'json')))).toEqual(expected)
        const text = String.raw`{"a":{{v}},"b":"\\\"{{v}}"}`
        expect(JSON.parse(textOf(fillBody(text, values, 'json')))).toEqual(expected)
      })
    )
  })

  it('keeps types and every digit', () => {
    const typed: TemplateRow = new Map([
      ['big', { text: '9007199254740993', type: 'integer' }],
      ['dec', { text: '0.10', type: 'decimal' }],
      ['nan', { text: 'NaN', type: 'number' }],
      ['yes', { text: 'true', type: 'boolean' }],
      ['list', { text: '[1,2]', type: 'json' }],
      ['none', null]
    ])
    const template = {
      big: '{{big}}',
      dec: '{{dec}}',
      nan: '{{nan}}',
      yes: '{{yes}}',
      list: '{{list}}',
      no: '{{none}}'
    }
    const body = '{"big":9007199254740993,"dec":0.10,"nan":"NaN","yes":true,"list":[1,2],"no":null}'
    expect(fillBody(template, typed, 'json')).toEqual({ ok: true, text: body })
  })

  it('that is no JSON in the end is refused', () => {
    expect(fillBody('{"a": {{v}}', row({ v: '1' }), 'json').ok).toBe(false)
  })
})

describe('another body', () => {
  it.each(INJECTIONS)('of a form keeps %j one field', (value) => {
    const body = textOf(fillBody('a={{v}}&b=1', row({ v: value }), 'form'))
    expect([...new URLSearchParams(body)]).toEqual([
      ['a', value],
      ['b', '1']
    ])
  })
  it('is told by its content type, else by its beginning', () => {
    expect(bodyForm(undefined, {})).toBe('json')
    expect(bodyForm(undefined, ' {"a":1}')).toBe('json')
    expect(bodyForm(undefined, 'a=1')).toBe('text')
    expect(bodyForm('application/problem+json; charset=utf-8', 'x')).toBe('json')
    expect(bodyForm('application/x-www-form-urlencoded', 'a=1')).toBe('form')
  })
})

it('names its columns', () => {
  expect(columnsOf('/a/{{ x }}/{{the day}}?x={{x}}')).toEqual(['x', 'the day'])
})
