import {
  startTestService,
  type Behaviour,
  type Seen,
  type TestService
} from '../../src/worker/http/contract/test-service.ts'
import { createRandom } from '../random.ts'
import type { PeopleWork } from './people-work.ts'

/** Parts of the requests that end otherwise than with a person. */
const FAILING = { status500: 0.02, status429: 0.01, dropped: 0.01 } as const
const SLOW_MS = { least: 20, most: 100 } as const

export const personOf = ({ url }: Pick<Seen, 'url'>): number => Number(url.split('/').at(-1))

/** Slow and tired: what happens to the nth request for a person is the seed's to say. */
const tired = ({ size, people }: PeopleWork): Behaviour => {
  return (seen, nth) => {
    const id = personOf(seen)
    const person = people.get(id)
    if (person === undefined) return { status: 404, body: '{}' }
    const random = createRandom(size.seed * 1_000_003 + id * 31 + nth)
    const drawn = random.next()
    const afterMs = random.between(SLOW_MS.least, SLOW_MS.most)
    if (drawn < FAILING.dropped) return 'drop'
    if (drawn < FAILING.dropped + FAILING.status500) return { status: 500, afterMs }
    if (drawn < FAILING.dropped + FAILING.status500 + FAILING.status429) {
      return { status: 429, headers: { 'retry-after': '1' } }
    }
    const { name, city } = person
    return { body: JSON.stringify({ id, name, address: { city } }), afterMs }
  }
}

export const startPeopleService = (work: PeopleWork): Promise<TestService> => startTestService(tired(work))
