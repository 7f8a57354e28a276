import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AGGREGATES, checkPayload, readEvent, replay } from './aggregates.ts'
import { workflowAggregate } from './workflow/workflow.ts'

const FOLDERS = {
  workflow: 'workflow',
  run: 'run',
  datasource: 'data-source',
  catalog: 'catalog',
  requests: 'requests'
}
const Payload = z.record(z.string(), z.unknown())

const frozenIn = (aggregateType: keyof typeof FOLDERS) => {
  const folder = new URL(`./${FOLDERS[aggregateType]}/frozen/`, import.meta.url)
  return readdirSync(folder).map((file) => {
    const [eventType = '', version = ''] = file.split('.')
    const payload = Payload.parse(JSON.parse(readFileSync(new URL(file, folder), 'utf8')))
    return { aggregateType, eventType, eventVersion: Number(version.slice(1)), payload }
  })
}
const frozen = [
  ...frozenIn('workflow'),
  ...frozenIn('run'),
  ...frozenIn('datasource'),
  ...frozenIn('requests'),
  ...frozenIn('catalog')
]
const stored = {
  aggregateId: 'workflow:w',
  aggregateType: 'workflow',
  eventType: 'WorkflowCreated',
  eventVersion: 1,
  position: 7,
  seq: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  payload: { name: 'W' }
}

describe('stored events', () => {
  it('have a frozen example of every version of every type', () => {
    const expected = AGGREGATES.flatMap(({ type, events }) =>
      Object.entries(events).flatMap(([eventType, { version }]) =>
        Array.from({ length: version }, (_, at) => `${type} ${eventType} ${at + 1}`)
      )
    )
    const found = frozen.map(
      ({ aggregateType, eventType, eventVersion }) => `${aggregateType} ${eventType} ${eventVersion}`
    )
    // Of one that has grown there are several.
    expect([...new Set(found)].toSorted()).toEqual(expected.toSorted())
  })

  it.each(frozen)('of $aggregateType: $eventType v$eventVersion can still be read, nothing lost', (event) => {
    expect(checkPayload(event)).toEqual({ ok: true, payload: event.payload })
  })

  it('of a run with a memory budget keep it, within its bounds', () => {
    const queued = frozen.find(({ eventType }) => eventType === 'RunQueued')
    const withMemory = (memory: number) => ({
      aggregateType: 'run',
      eventType: 'RunQueued',
      eventVersion: 1,
      payload: { ...queued?.payload, options: { memory } }
    })
    const stored256 = withMemory(256_000_000)
    expect(checkPayload(stored256)).toEqual({ ok: true, payload: stored256.payload })
    expect(checkPayload(withMemory(255_999_999))).toMatchObject({ ok: false })
    expect(checkPayload(withMemory(3_000_000_001))).toMatchObject({ ok: false })
  })

  it('of unknown types are left alone', () => {
    expect(readEvent({ ...stored, eventType: 'TestEvent' })).toBeUndefined()
    expect(readEvent({ ...stored, aggregateType: 'test' })).toBeUndefined()
    expect(readEvent({ ...stored, eventType: 'toString' })).toBeUndefined()
  })

  it('that do not fit are refused, saying why', () => {
    expect(checkPayload({ ...stored, payload: { name: '', colour: 1 } })).toMatchObject({ ok: false })
    expect(() => readEvent({ ...stored, payload: {} })).toThrow(/Event 1 of workflow:w cannot be read.*name/)
    expect(checkPayload({ ...stored, eventVersion: 2 })).toMatchObject({ ok: false, issues: [] })
  })

  it('make up an aggregate, foreign events left out', () => {
    const foreign = { ...stored, eventType: 'TestEvent', seq: 2, payload: { value: 42 } }
    const state = replay(workflowAggregate, workflowAggregate.initial, [stored, foreign])
    expect(state).toMatchObject({ status: 'live', name: 'W', draft: 1 })
  })
})
