import { expect, it } from 'vitest'
import type { RunArtifact } from '../run-rows.ts'
import { artifactOfPort } from './artifact-of-port.ts'

const table = (nodeId: string, port: string, role = 'result'): RunArtifact => ({
  id: `${nodeId}.${port}`,
  nodeId,
  port,
  kind: 'table',
  role,
  format: 'arrow',
  rows: 1,
  fileName: null,
  columnNames: [],
  pinned: null
})
const edge = (from: string, to: string, fromPort = 'out') => ({ from, fromPort, to, toPort: 'in' })
const find = (artifacts: RunArtifact[], edges: Parameters<typeof artifactOfPort>[1]['edges'], port = 'out') =>
  artifactOfPort(artifacts, { edges }, { nodeId: 'a', port })?.id

it("finds a node's own rows before those of a sink behind it", () => {
  expect(find([table('s', 'in'), table('a', 'out')], [edge('a', 's')])).toBe('a.out')
  expect(find([table('s', 'in')], [edge('a', 's')])).toBe('s.in')
})

it('takes no rows of another port, of another node, or that an edge chose or mixed', () => {
  expect(find([table('a', 'out')], [], 'rejected')).toBeUndefined()
  expect(find([table('a', 'out', 'source')], [])).toBeUndefined()
  expect(find([table('s', 'in')], [edge('a', 's', 'rejected')])).toBeUndefined()
  expect(find([table('s', 'in')], [{ ...edge('a', 's'), condition: 'x > 1' }])).toBeUndefined()
  expect(find([table('s', 'in')], [edge('a', 's'), edge('b', 's')])).toBeUndefined()
})
