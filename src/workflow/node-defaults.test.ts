import { describe, expect, it } from 'vitest'
import { NODE_KINDS } from './graph.ts'
import { emptySpec, portsOf } from './node-defaults.ts'
import { NODE_READERS } from './nodes/all.ts'

/** Specs of which every kind's own reader says the ports. */
const finished = {
  source: { dataSource: 'a' },
  transform: { steps: [{ op: 'union' }] },
  join: { on: [{ left: 'a', right: 'b' }] },
  rule: {},
  http: { template: 't' },
  branch: { outputs: [{ name: 'x', when: 'true' }, { name: 'y' }] },
  sink: { format: 'csv', fileName: 'a.csv' }
}

describe('the ports that the canvas draws', () => {
  it.each(NODE_KINDS)('of a %s are those that the planner checks', (kind) => {
    const read = NODE_READERS[kind](finished[kind])
    if (!read.ok) throw new Error(JSON.stringify(read.issues))
    const { inputs, outputs } = portsOf(kind, finished[kind])
    expect(inputs).toEqual(read.node.inputs.map(({ name, max }) => ({ name, many: max > 1 })))
    expect(outputs).toEqual(read.node.outputs)
  })

  it.each(NODE_KINDS)('are there for a %s however unfinished its spec', (kind) => {
    expect(() => portsOf(kind, { outputs: [null, { name: 3 }], steps: 'x' })).not.toThrow()
    expect(portsOf(kind, emptySpec(kind)).inputs.every(({ many }) => !many)).toBe(true)
  })

  it('begin with specs that only a missing choice keeps from being right', () => {
    const unfinished = NODE_KINDS.filter((kind) => !NODE_READERS[kind](emptySpec(kind)).ok)
    expect(unfinished).toEqual(['source'])
  })
})
