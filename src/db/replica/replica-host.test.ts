import { expect, test, vi } from 'vitest'
import { FlowForgeError } from '../flowforge-error.ts'
import type { ReplicaFeed } from '../sqlite/replica-feed.ts'
import type { FromReplica, ReplicaChannel, ToReplica } from './messages.ts'
import { createReplicas, type StartFeed } from './replica-host.ts'

const feed: ReplicaFeed = {
  flush: async () => undefined,
  count: async (use) => use({}),
  position: () => 0,
  stop: () => undefined
}

/** A replica's worker as the writer sees it: it says what a test makes it say, and nothing else. */
const openChannel = () => {
  const told: ToReplica[] = []
  let say: (message: FromReplica) => void = () => undefined
  let ends = 0
  const channel: ReplicaChannel = {
    post: (message) => told.push(message),
    listen: (onMessage) => {
      say = onMessage
    },
    end: () => {
      ends += 1
    }
  }
  return { channel, told, say: (message: FromReplica) => say(message), ends: () => ends }
}

const replicasOver = (channel: ReplicaChannel, startFeed: StartFeed = () => feed) =>
  createReplicas({
    startFeed,
    open: { plain: () => channel, analytics: () => channel },
    waitFor: async () => undefined,
    logPosition: () => 0
  })
const question = (sql: string, timeoutMs: number) => ({ replica: 'plain', sql, timeoutMs }) as const

test('a replica that is still being built is waited for within the limit of a question, and is built on', async () => {
  const { channel, say, told, ends } = openChannel()
  const replicas = replicasOver(channel)
  await expect(replicas.read(question('SELECT 1', 30))).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining('still being built')
  })
  expect(ends()).toBe(0)
  say({ type: 'at', position: 0, isBuilt: true })
  const answer = replicas.read(question('SELECT 2', 1_000))
  await vi.waitFor(() => expect(told).toHaveLength(1))
  say({ type: 'answer', id: 1, pieces: [] })
  expect(await answer).toEqual([])
})

test('a short question behind a long one is refused alone: the long one has a limit of its own', async () => {
  vi.useFakeTimers()
  try {
    const { channel, say, ends } = openChannel()
    const replicas = replicasOver(channel)
    const long = replicas.read(question('SELECT 1', 60_000))
    await vi.advanceTimersByTimeAsync(0)
    say({ type: 'at', position: 0, isBuilt: true })
    await vi.advanceTimersByTimeAsync(0)
    const short = replicas.read(question('SELECT 2', 100))
    const refused = expect(short).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('busy with others')
    })
    await vi.advanceTimersByTimeAsync(5_000)
    await refused
    expect(ends()).toBe(0)
    say({ type: 'answer', id: 1, pieces: [] })
    expect(await long).toEqual([])
    const stuck = replicas.read(question('SELECT 3', 100))
    const ended = expect(stuck).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('the replica with it')
    })
    await vi.advanceTimersByTimeAsync(5_000)
    await ended
    expect(ends()).toBe(1)
  } finally {
    vi.useRealTimers()
  }
})

test('the worker of a replica that cannot be fed is ended', async () => {
  const { channel, ends } = openChannel()
  const replicas = replicasOver(channel, () => {
    throw new FlowForgeError('INTERNAL', 'The table "x" has no primary key.')
  })
  await expect(replicas.read(question('SELECT 1', 1_000))).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(ends()).toBe(1)
  expect(replicas.status()[0]).toMatchObject({ state: 'off' })
})
