import { expect, test } from 'vitest'
import { judgeRequests, type RequestFacts } from './judge-requests.ts'

const PEOPLE = [1, 2, 3]
const answered = (person: number) => ({ person, status: 200 })
const once = (sent = 1) => ({ sent, answered: 1 })

/** Three people, one kill after the first two were answered, of whom the ledger knew one. */
const kept: RequestFacts = {
  people: new Set(PEOPLE),
  log: [answered(1), answered(2), { person: 2, status: 500 }, answered(2), answered(3)],
  kills: [{ logged: 2, confirmed: new Set([1]) }],
  record: {
    confirmed: new Map(PEOPLE.map((person) => [person, 1])),
    attempts: new Map([
      [1, once()],
      [2, once(3)],
      [3, once()]
    ])
  },
  concurrency: 1
}
const problemsOf = (change: Partial<RequestFacts>) => judgeRequests({ ...kept, ...change }).problems

test('an answer that a kill took along may be given again, and is counted', () => {
  expect(judgeRequests(kept)).toEqual({
    problems: [],
    requests: 5,
    answers: 4,
    answeredAgain: 1,
    statuses: new Map([
      [200, 4],
      [500, 1]
    ])
  })
})

test.each<[string, Partial<RequestFacts>, string]>([
  ['somebody was never answered', { log: kept.log.slice(0, -1) }, 'the service never answered for: 3'],
  [
    'somebody was asked for again after the ledger had the answer',
    { kills: [{ logged: 2, confirmed: new Set([1, 2]) }] },
    'asked for again although confirmed at kill 1: 2, 2'
  ],
  [
    'somebody was answered twice in one life',
    { kills: [{ logged: 1, confirmed: new Set([1]) }] },
    'answered twice with no kill in between: 2'
  ],
  [
    'more was answered again than can have been under way',
    {
      log: [answered(1), answered(2), answered(1), answered(2), answered(3)],
      kills: [{ logged: 2, confirmed: new Set() }],
      record: { ...kept.record, attempts: new Map([...kept.record.attempts, [1, once(2)]]) }
    },
    '2 answers were given again; 1 kills explain 1'
  ],
  [
    'somebody is not on record as confirmed',
    {
      record: {
        ...kept.record,
        confirmed: new Map([
          [1, 1],
          [2, 2]
        ])
      }
    },
    'not confirmed exactly once: 2, 3'
  ],
  [
    'an answer was taken twice',
    {
      record: { ...kept.record, attempts: new Map([...kept.record.attempts, [1, { sent: 2, answered: 2 }]]) }
    },
    'not on record as answered exactly once: 1'
  ],
  [
    'a request left without being on record',
    { record: { ...kept.record, attempts: new Map([...kept.record.attempts, [2, once(1)]]) } },
    'answered more often than requests are on record: 2'
  ],
  [
    'somebody was asked for of whom no order speaks',
    {
      log: [...kept.log, answered(4)],
      record: { ...kept.record, attempts: new Map([...kept.record.attempts, [4, once()]]) }
    },
    'the service was asked for nobody of the orders: 4'
  ]
])('it is found when %s', (_, change, problem) => {
  expect(problemsOf(change)).toEqual([problem])
})
