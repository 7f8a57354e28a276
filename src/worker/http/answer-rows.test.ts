import { describe, expect, it } from 'vitest'
import type { ValueType } from '../../workflow/value-type.ts'
import { readAnswer } from './answer-rows.ts'

const body = (text: string, contentType: string | null = 'application/json') => ({
  bytes: new TextEncoder().encode(text),
  contentType
})
const columns = (of: Record<string, string>, type: ValueType = 'text') =>
  Object.entries(of).map(([name, pointer]) => ({ name, pointer, type }))
const reading = (of: Record<string, string>, explode: string | null = null, type: ValueType = 'text') => ({
  columns: columns(of, type),
  explode,
  format: null
})

describe('a JSON answer', () => {
  it('gives what pointers lead to, every digit of it, and NULL where they lead nowhere', () => {
    const json = '{"id":9007199254740993,"price":0.10,"tags":["a",1],"on":true,"no":null,"name":"Ä"}'
    const of = {
      id: '/id',
      price: '/price',
      tags: '/tags',
      first: '/tags/0',
      on: '/on',
      no: '/no',
      not: '/x/y',
      name: '/name'
    }
    expect(readAnswer(body(json), reading(of))).toEqual({
      ok: true,
      rows: [['9007199254740993', '0.1', '["a",1]', 'a', 'true', null, null, 'Ä']]
    })
    expect(readAnswer(body('{"a":"x"}'), reading({ a: '/a' }, null, 'json'))).toEqual({
      ok: true,
      rows: [['"x"']]
    })
  })

  it('gives a row for each element of a list, and one without values where there is none', () => {
    const read = reading({ a: '/a' }, '/items')
    expect(readAnswer(body('{"items":[{"a":1},{"a":2}]}'), read)).toEqual({ ok: true, rows: [['1'], ['2']] })
    expect(readAnswer(body('{"items":[]}'), read)).toEqual({ ok: true, rows: [[null]] })
    expect(readAnswer(body('{}'), read)).toEqual({ ok: true, rows: [[null]] })
    expect(readAnswer(body('{"items":{"a":1}}'), read)).toMatchObject({ ok: false })
  })

  it('that does not parse says why, and is not looked at where nothing is asked of it', () => {
    expect(readAnswer(body('<html>'), reading({ a: '/a' }))).toMatchObject({ ok: false })
    expect(readAnswer(body('<html>'), reading({}))).toEqual({ ok: true, rows: [[]] })
    expect(readAnswer(body(''), reading({ a: '/a' }))).toEqual({ ok: true, rows: [[null]] })
    const latin = { bytes: new Uint8Array([0x22, 0xe4, 0x22]), contentType: 'application/json' }
    expect(readAnswer(latin, reading({ a: '' }))).toMatchObject({ ok: false })
    const said = { ...latin, contentType: 'application/json; charset=iso-8859-1' }
    expect(readAnswer(said, reading({ a: '' }))).toEqual({ ok: true, rows: [['ä']] })
  })
})

describe('a CSV answer', () => {
  const csv = (text: string) =>
    readAnswer(body(text, 'text/csv; charset=utf-8'), reading({ id: '/id', n: '/the name' }))
  it('gives its rows by the names in its header', () => {
    expect(csv('id,the name\r\n1,"a ""b"", c"\r\n2,\r\n')).toEqual({
      ok: true,
      rows: [
        ['1', 'a "b", c'],
        ['2', '']
      ]
    })
    expect(csv('id;the name\n007;x\n')).toEqual({ ok: true, rows: [['007', 'x']] })
    expect(csv('id\n1\n')).toEqual({ ok: true, rows: [['1', null]] })
  })
  it('that is broken says why', () => {
    expect(csv('id,the name\n1,"open\n')).toMatchObject({ ok: false })
    expect(csv('id,the name\n1,2,3\n')).toMatchObject({ ok: false })
  })
  it('without rows is one row without values', () => {
    expect(csv('id,the name\n')).toEqual({ ok: true, rows: [[null, null]] })
  })
})
