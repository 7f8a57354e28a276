import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WorkflowView } from '../../worker/api.ts'
import { applyChanges } from '../../workflow/apply-changes.ts'
import type { GraphChange } from '../../workflow/change.ts'
import { EMPTY_GRAPH, type Graph } from '../../workflow/graph.ts'
import { createEditQueue, type EditState } from './edit-queue.ts'

const viewOf = (graph: Graph, seq: number): WorkflowView => ({
  workflowId: 'workflow:w',
  name: 'W',
  description: null,
  version: 1,
  workflowVersionId: 'wfv-1',
  status: 'draft',
  versions: [],
  graph,
  parameters: graph.parameters,
  canUndo: seq > 1,
  canRedo: false,
  seq,
  savedAt: '2026-01-01T00:00:00.000Z'
})

const addNode = (id: string): GraphChange => ({
  type: 'add-node',
  node: { id, kind: 'transform', name: id, spec: {} }
})
const rename = (nodeId: string, name: string): GraphChange => ({ type: 'rename-node', nodeId, name })

/** A worker that keeps a graph, answers in its own time and refuses what a test tells it to. */
const openDraft = () => {
  let stored = viewOf(EMPTY_GRAPH, 1)
  const sent: (readonly GraphChange[])[] = []
  const refusals: unknown[] = []
  let refuse: (changes: readonly GraphChange[]) => boolean = () => false
  let state: EditState = { view: stored, graph: stored.graph, saving: false }
  const queue = createEditQueue({
    view: stored,
    send: async (changes) => {
      sent.push(changes)
      await Promise.resolve()
      if (refuse(changes)) throw new Error('refused')
      const applied = applyChanges(stored.graph, changes)
      if (!applied.ok) throw new Error(applied.message)
      stored = viewOf(applied.graph, stored.seq + 1)
      return stored
    },
    onState: (next) => {
      state = next
    },
    onRefused: (error) => refusals.push(error)
  })
  return {
    queue,
    sent,
    refusals,
    state: () => state,
    stored: () => stored,
    refuseWhen: (predicate: typeof refuse) => {
      refuse = predicate
    }
  }
}
const names = (graph: Graph) => graph.nodes.map(({ name }) => name)

describe('the edit queue', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('shows an edit before it is answered and is at rest after', async () => {
    const draft = openDraft()
    draft.queue.edit([addNode('a')])
    expect(names(draft.state().graph)).toEqual(['a'])
    expect(draft.state().saving).toBe(true)
    await draft.queue.flush()
    expect(draft.state().saving).toBe(false)
    expect(names(draft.stored().graph)).toEqual(['a'])
  })

  test('sends edits one at a time and in order', async () => {
    const draft = openDraft()
    draft.queue.edit([addNode('a')])
    draft.queue.edit([rename('a', 'b')])
    draft.queue.edit([rename('a', 'c')])
    expect(draft.sent).toHaveLength(1)
    await draft.queue.flush()
    expect(draft.sent).toHaveLength(3)
    expect(names(draft.stored().graph)).toEqual(['c'])
  })

  test('typing is one edit, sent when the typing pauses', async () => {
    const draft = openDraft()
    draft.queue.edit([addNode('a')])
    await draft.queue.flush()
    for (const name of ['L', 'La', 'Lat', 'Late']) {
      draft.queue.type('name a', [rename('a', name)])
      await vi.advanceTimersByTimeAsync(300)
    }
    expect(draft.sent).toHaveLength(1)
    expect(names(draft.state().graph)).toEqual(['Late'])
    await vi.advanceTimersByTimeAsync(100)
    expect(draft.sent).toHaveLength(2)
    expect(names(draft.stored().graph)).toEqual(['Late'])
  })

  test('typing elsewhere, or another edit, sends what was typed first', async () => {
    const draft = openDraft()
    draft.queue.edit([addNode('a'), addNode('b')])
    draft.queue.type('name a', [rename('a', 'first')])
    draft.queue.type('name b', [rename('b', 'second')])
    draft.queue.edit([addNode('c')])
    await draft.queue.flush()
    expect(draft.sent.slice(1)).toEqual([[rename('a', 'first')], [rename('b', 'second')], [addNode('c')]])
  })

  test('flush leaves nothing typed behind', async () => {
    const draft = openDraft()
    draft.queue.edit([addNode('a')])
    draft.queue.type('name a', [rename('a', 'typed')])
    await draft.queue.flush()
    expect(names(draft.stored().graph)).toEqual(['typed'])
    expect(draft.state().saving).toBe(false)
  })

  test('what is refused is taken back and told; edits beside it stay', async () => {
    const draft = openDraft()
    draft.refuseWhen((changes) =>
      changes.some((change) => change.type === 'add-node' && change.node.id === 'bad')
    )
    draft.queue.edit([addNode('a')])
    draft.queue.edit([addNode('bad')])
    draft.queue.edit([addNode('c')])
    await draft.queue.flush()
    expect(draft.refusals).toHaveLength(1)
    expect(names(draft.state().graph)).toEqual(['a', 'c'])
    expect(names(draft.stored().graph)).toEqual(['a', 'c'])
  })

  test('an edit that stood on a refused one is told too', async () => {
    const draft = openDraft()
    draft.refuseWhen((changes) => changes.some((change) => change.type === 'add-node'))
    draft.queue.edit([addNode('bad')])
    draft.queue.edit([rename('bad', 'worse')])
    await draft.queue.flush()
    expect(draft.refusals).toHaveLength(2)
    expect(draft.sent).toHaveLength(1)
    expect(names(draft.state().graph)).toEqual([])
  })

  test('undo waits for the edits before it', async () => {
    const draft = openDraft()
    draft.queue.edit([addNode('a')])
    await draft.queue.replace(() => {
      expect(names(draft.stored().graph)).toEqual(['a'])
      return Promise.resolve(viewOf(EMPTY_GRAPH, 3))
    })
    expect(draft.state().graph).toEqual(EMPTY_GRAPH)
    expect(draft.state().view.seq).toBe(3)
  })
})
