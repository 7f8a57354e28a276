import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCurl } from './curl.ts'
import { toHar } from './har.ts'
import { isSecretHeader, isSecretParameter, maskBody, maskHeaders, maskUrl } from './masking.ts'

describe('what looks like a secret', () => {
  it.each([
    'Authorization',
    'Cookie',
    'set-cookie',
    'X-API-Key',
    'Proxy-Authorization',
    'X-Auth-Token',
    'Ocp-Apim-Subscription-Key',
    'x-session',
    'PHPSESSID',
    'X-Authorization',
    'accesstoken',
    'X-Amz-Signature'
  ])('is masked in the header %s', (name) => {
    expect(isSecretHeader(name)).toBe(true)
    expect(maskHeaders({ [name]: 'hunter2' })).toEqual({ [name]: '***' })
  })
  it.each(['Accept', 'Content-Type', 'Idempotency-Key', 'X-Request-Id', 'Author', 'X-Monkey', 'ETag'])(
    'is not the header %s',
    (name) => expect(isSecretHeader(name)).toBe(false)
  )
  it('is masked in an address, the rest of which stays as it is', () => {
    const url = 'https://me:pw@h.example/a%20b/?page=2&api_key=s1&accessToken=s2&q=token%20x&x#f'
    expect(maskUrl(url)).toBe(
      'https://***@h.example/a%20b/?page=2&api_key=***&accessToken=***&q=token%20x&x#f'
    )
    expect(maskUrl('/a?page=2#access_token=s&x=1')).toBe('/a?page=2#access_token=***&x=1')
    expect(maskUrl('https://h.example/#?token=s')).toBe('https://h.example/#?token=***')
    expect(
      ['client_secret', 'sig', 'password', 'apiKey', 'authtoken', 'sessionid'].filter(
        (name) => !isSecretParameter(name)
      )
    ).toEqual([])
    expect(
      ['author', 'sort', 'keyword', 'tokens_used_by', 'max_tokens', 'secretary', 'design'].filter(
        isSecretParameter
      )
    ).toEqual([])
  })
  it('is masked in the addresses of an answer, which repeat what was asked', () => {
    expect(
      maskHeaders({
        Link: '</a?api_key=s&page=2>; rel="next", <https://me:pw@h.example/?token=s>; rel="last"',
        location: '/b?token=s&q=1',
        'X-Total': '7?token=s'
      })
    ).toEqual({
      Link: '</a?api_key=***&page=2>; rel="next", <https://***@h.example/?token=***>; rel="last"',
      location: '/b?token=***&q=1',
      'X-Total': '7?token=s'
    })
  })
  it('is masked in a body, which stays as it is otherwise', () => {
    expect(maskBody('{"n": 9007199254740993}', undefined)).toBe('{"n": 9007199254740993}')
    expect(maskBody('{"user":"u","password":"p","in":{"api_key":1}}', undefined)).toBe(
      '{"user":"u","password":"***","in":{"api_key":"***"}}'
    )
    expect(maskBody('user=u&password=p', 'application/x-www-form-urlencoded')).toBe('user=u&password=***')
    expect(maskBody('plain', undefined)).toBe('plain')
  })
})

describe('copy as curl', () => {
  const argumentsOf = (command: string): string[] => {
    const script = `curl() { printf '%s\\0' "$@"; }\n${command}`
    return execFileSync('/bin/sh', ['-c', script]).toString().split('\0').slice(0, -1)
  }
  it('means to a shell what was sent, whatever it holds', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
    fc.assert(
      fc.property(text, text, (value, body) => {
        const command = toCurl({
          method: 'POST',
          url: 'https://h.example/?a=$(x)&b',
          headers: { A: value },
          body
        })
        expect(argumentsOf(command)).toEqual([
          '--globoff',
          'https://h.example/?a=$(x)&b',
          '--request',
          'POST',
          '--header',
          value === '' ? 'A;' : `A: ${value}`,
          '--data-raw',
          body
        ])
      }),
      { numRuns: 40 }
    )
  })
})

it('HAR has what its specification asks for', () => {
  const request = {
    method: 'POST',
    url: 'https://h.example/?a=1',
    headers: { 'Content-Type': 'text/plain' },
    body: 'ä'
  }
  const response = { status: 200, headers: { etag: 'x' }, contentType: 'text/plain', size: 2, text: 'ok' }
  const { log } = toHar(
    [{ request, startedAt: '2026-01-01T00:00:00.000Z', ms: 12, comment: '', response }],
    '1'
  )
  expect(log).toMatchObject({ version: '1.2', creator: { name: 'FlowForge', version: '1' } })
  expect(log.entries[0]).toMatchObject({
    startedDateTime: '2026-01-01T00:00:00.000Z',
    time: 12,
    request: {
      queryString: [{ name: 'a', value: '1' }],
      postData: { mimeType: 'text/plain', text: 'ä' },
      bodySize: -1
    },
    response: {
      status: 200,
      content: { size: 2, mimeType: 'text/plain', text: 'ok' },
      headers: [{ name: 'etag', value: 'x' }]
    },
    timings: { send: 0, wait: 12, receive: 0 }
  })
})
