import { describe, expect, it } from 'vitest'
import { classifyNoAnswer, isLocalHost, isMixedContent, type Surroundings } from './failure.ts'

const usual: Surroundings = {
  online: true,
  secure: true,
  pageIsLocal: false,
  localPermission: null,
  answersBlindly: false
}
const kindOf = (url: string, around: Partial<Surroundings>) =>
  classifyNoAnswer(new URL(url), { ...usual, ...around }).kind

describe('a request without an answer', () => {
  it.each([
    ['https://api.example/x', { online: false }, 'offline'],
    ['http://api.example/x', {}, 'mixed-content'],
    ['http://api.example/x', { secure: false }, 'unreachable'],
    ['http://127.0.0.1:8080/', { localPermission: 'prompt' }, 'local-address'],
    ['https://192.168.1.7/', { localPermission: 'denied' }, 'local-address'],
    ['http://127.0.0.1:8080/', { localPermission: 'prompt', pageIsLocal: true }, 'unreachable'],
    ['http://localhost:8080/', { localPermission: 'granted' }, 'unreachable'],
    ['https://api.example/x', { localPermission: 'denied' }, 'unreachable'],
    ['https://api.example/x', { answersBlindly: true }, 'cors'],
    ['https://api.example/x', { answersBlindly: null }, 'unreachable']
  ] as const)('to %s with %j is %s', (url, around, kind) => expect(kindOf(url, around)).toBe(kind))

  it('names the service and never its path, which may hold a row or a secret', () => {
    for (const around of [{ online: false }, { answersBlindly: true }, {}]) {
      const { message } = classifyNoAnswer(new URL('https://api.example/secret?token=t'), {
        ...usual,
        ...around
      })
      expect(message).toContain('api.example')
      expect(message).not.toMatch(/secret|token/)
    }
  })
})

it('knows addresses of this device and network', () => {
  const local = [
    'localhost',
    'a.localhost',
    '127.0.0.1',
    '[::1]',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.0.1',
    '192.168.0.1',
    '169.254.1.1',
    'nas.local',
    '[fd12::1]',
    '[fe80::1]'
  ]
  const others = ['example.com', '172.32.0.1', '11.0.0.1', '[2001:db8::1]', 'local.example', '1.127.0.1']
  expect(local.filter((host) => !isLocalHost(host))).toEqual([])
  expect(others.filter(isLocalHost)).toEqual([])
})

it('knows which addresses an encrypted page may not ask', () => {
  expect(isMixedContent(new URL('http://127.0.0.1/'), true)).toBe(false)
  expect(isMixedContent(new URL('http://192.168.0.1/'), true)).toBe(true)
  expect(isMixedContent(new URL('http://192.168.0.1/'), false)).toBe(false)
  expect(isMixedContent(new URL('https://a.example/'), true)).toBe(false)
})
