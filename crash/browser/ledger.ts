import { createHash } from 'node:crypto'
import { z } from 'zod'
import { checkHistory } from '../history/check-history.ts'
import type { Append, Load, Outcome, Stored } from '../history/history.ts'
import { contentOf, createFacts, type Register, type RegisterKind } from '../simulation/facts.ts'
import type { Found, Keys, Order } from './orders.ts'

const StoredEvent = z.object({
  id: z.string(),
  aggregateId: z.string(),
  content: z.string(),
  seq: z.number(),
  position: z.number()
})
const Message = z.union([
  z.object({ index: z.number(), reached: z.string() }),
  z.object({
    index: z.number(),
    invokedAt: z.number(),
    at: z.number(),
    outcome: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('answered'), events: z.array(StoredEvent) }),
      z.object({
        kind: z.literal('failed'),
        code: z.string(),
        message: z.string(),
        actualSeq: z.number().optional()
      })
    ])
  })
])

/** How far two tabs' clocks may be apart, in ms. */
const SKEW_MS = 5

type Given = { readonly order: Order; isTold: boolean; isAnswered: boolean; hasReached: boolean }
type Open<C extends Append | Load> = Omit<C, 'outcome' | 'invokedAt'> & {
  outcome: C['outcome']
  invokedAt: number
}

const hashOf = (size: number, fill: number): string =>
  createHash('sha256').update(new Uint8Array(size).fill(fill)).digest('hex')

/** All that the pages of one origin were told to do, and what they told of it. */
export type Ledger = {
  next(): number
  give(client: string, life: string, orders: readonly Order[]): void
  /** What was there before the first page. */
  begin(log: readonly Stored[]): void
  hear(message: unknown): void
  /** How many orders have been told of. */
  toldCount(): number
  /** Orders that are unanswered. */
  underWay(): readonly Order[]
  keys(): Keys
  /** Every word that was not kept, in view of what a page has found. */
  judge(found: Found, options: { readonly isHeardWhole: boolean }): string[]
  events(): number
}

export const createLedger = (): Ledger => {
  const { appends, loads, registers, next } = createFacts()
  const openAppends = appends as Open<Append>[]
  const openLoads = loads as Open<Load>[]
  const given = new Map<number, Given>()
  const surprises: string[] = []
  /** By value, the latest order that was answered. */
  const latest = new Map<string, number>()
  let told = 0

  const registerOf = (kind: RegisterKind, key: string): Register => {
    const known = registers[kind].get(key) ?? { known: null, maybe: [] }
    registers[kind].set(key, known)
    return known
  }

  /** The value that an order writes, if it is one that does. */
  const valueOf = (order: Order): { kind: RegisterKind; key: string; value: string } | null => {
    switch (order.kind) {
      case 'row':
        return { kind: 'row', key: order.key, value: order.name }
      case 'snapshot':
        return { kind: 'snapshot', key: order.aggregateId, value: String(order.lastSeq) }
      case 'blob':
        return { kind: 'blob', key: order.key, value: hashOf(order.size, order.fill) }
      case 'append':
      case 'load':
      case 'rebuild':
      case 'backup':
      case 'restore':
      case 'archive':
        return null
    }
  }

  const giveOne = (client: string, life: string, order: Order): void => {
    given.set(order.index, { order, isTold: false, isAnswered: false, hasReached: false })
    const call = { client, index: order.index, invokedAt: Date.now() - SKEW_MS }
    if (order.kind === 'append') {
      const events = order.events.map((event) => ({
        id: event.id,
        aggregateId: event.aggregateId,
        content: contentOf(event),
        ...(event.expectedSeq === undefined ? {} : { expectedSeq: event.expectedSeq })
      }))
      openAppends.push({ kind: 'append', ...call, life, events, outcome: { kind: 'unknown' } })
    }
    if (order.kind === 'load') {
      const { aggregateId } = order
      openLoads.push({ kind: 'load', ...call, aggregateId, outcome: { kind: 'unknown' } })
    }
    if (order.kind === 'restore') giveOne(client, life, order.marker)
    const value = valueOf(order)
    if (value !== null) registerOf(value.kind, value.key).maybe.push(value.value)
  }

  const isExpected = (order: Order, code: string): boolean => {
    if (order.kind === 'append')
      return code === 'CONFLICT' && order.events.some(({ expectedSeq }) => expectedSeq === 0)
    // Sent again to the next program, which knows nothing of the one that was under way.
    const isJob = order.kind === 'backup' || order.kind === 'restore' || order.kind === 'archive'
    return isJob && (code === 'CONFLICT' || code === 'CANCELED')
  }

  const settle = (order: Order, message: Extract<z.infer<typeof Message>, { at: number }>): void => {
    const { outcome } = message
    const at = message.at + SKEW_MS
    if (outcome.kind === 'failed' && !isExpected(order, outcome.code)) {
      surprises.push(`${order.kind} ${order.index} failed: ${outcome.code} ${outcome.message}`)
    }
    const known = (): Outcome<readonly Stored[]> => {
      if (outcome.kind === 'answered') return { kind: 'answered', at, answer: outcome.events }
      const { code, actualSeq } = outcome
      const failure = { code, ...(actualSeq === undefined ? {} : { actualSeq }) }
      return code === 'CONFLICT' ? { kind: 'refused', at, failure } : { kind: 'unknown', failure }
    }
    const call = [...openAppends, ...openLoads].find(({ index }) => index === order.index)
    if (call !== undefined) {
      call.invokedAt = message.invokedAt - SKEW_MS
      call.outcome = known()
    }
    const value = valueOf(order)
    if (value === null || outcome.kind === 'failed') return
    // What pages tell may overtake what they told before; what a client writes does not.
    const place = `${value.kind} ${value.key}`
    if (order.index < (latest.get(place) ?? 0)) return
    latest.set(place, order.index)
    const register = registerOf(value.kind, value.key)
    const later = register.maybe.slice(register.maybe.lastIndexOf(value.value) + 1)
    register.known = value.value
    register.maybe = later
  }

  /** A restore that may have landed took back what was appended after its backup. */
  const settleRestores = (log: readonly Stored[]): string[] => {
    const there = new Set(log.map(({ id }) => id))
    return [...given.values()].flatMap(({ order, isAnswered, hasReached }) => {
      if (order.kind !== 'restore' || !hasReached) return []
      const isThere = order.marker.events.every(({ id }) => there.has(id))
      if (isThere)
        return isAnswered
          ? [`restore ${order.index} was answered, and the log goes on behind the backup`]
          : []
      const at = openAppends.findIndex(({ index }) => index === order.marker.index)
      if (at !== -1) openAppends.splice(at, 1)
      return []
    })
  }

  const checkValues = (found: Found, keys: Keys): string[] =>
    (['row', 'blob', 'snapshot'] as const).flatMap((kind) =>
      keys[kind].flatMap((key, at) => {
        const register = registerOf(kind, key)
        const is = found.values[kind][at] ?? null
        const isRight = is === register.known || register.maybe.includes(is)
        const problem = `${kind} ${key} is ${is}, and was written as ${register.known}, ${register.maybe.join(', ')}`
        register.known = is
        register.maybe = []
        return isRight ? [] : [problem]
      })
    )

  const keys = (): Keys => ({
    row: [...registers.row.keys()],
    blob: [...registers.blob.keys()],
    snapshot: [...registers.snapshot.keys()]
  })

  return {
    next,
    give: (client, life, orders) => {
      for (const order of orders) giveOne(client, life, order)
    },
    begin: (log) => {
      if (log.length === 0) return
      openAppends.push({
        kind: 'append',
        client: 'before',
        index: next(),
        life: 'before',
        invokedAt: 0,
        events: log.map(({ id, aggregateId, content }) => ({ id, aggregateId, content })),
        outcome: { kind: 'answered', at: 0, answer: log }
      })
    },
    hear: (message) => {
      const parsed = Message.parse(message)
      const known = given.get(parsed.index)
      if (known === undefined) return
      if ('reached' in parsed) {
        known.hasReached = true
        return
      }
      known.isTold = true
      known.isAnswered = parsed.outcome.kind === 'answered'
      told += 1
      settle(known.order, parsed)
    },
    toldCount: () => told,
    underWay: () => [...given.values()].flatMap(({ order, isTold }) => (isTold ? [] : [order])),
    keys,
    judge: (found, { isHeardWhole }) => {
      const { log } = found
      const restores = settleRestores(log)
      const heard = isHeardWhole
        ? [{ subscriber: 'page', afterPosition: 0, events: found.heard, isComplete: true }]
        : []
      const problems = checkHistory({ appends: openAppends, loads: openLoads, heard, log }).map(
        ({ kind, message }) => `${kind}: ${message}`
      )
      const values = checkValues(found, keys())
      // What is not told by now never will be.
      given.clear()
      return [...surprises.splice(0), ...found.problems, ...restores, ...problems, ...values]
    },
    events: () => openAppends.reduce((sum, { events }) => sum + events.length, 0)
  }
}
