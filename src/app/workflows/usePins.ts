import { ref, watch } from 'vue'
import type { GraphNode } from '../../workflow/graph.ts'
import { Pin } from '../../workflow/pin.ts'
import { portsOfNode } from './graph/ports.ts'
import type { WorkflowRun } from './useRun.ts'
import type { WorkflowDraft } from './useWorkflow.ts'

/** Pins of a draft: what the last run gave at a node, to stand for it. */
export const usePins = (workflow: WorkflowDraft, run: WorkflowRun) => {
  /** The node whose rows are pinned when the run to it has ended, and the run before that one. */
  const waiting = ref<{ readonly nodeId: string; readonly before: string | null } | null>(null)

  /** What the last run wrote of the node: each output that is read, or null where one is missing. */
  const pinOf = (node: Pick<GraphNode, 'id' | 'kind' | 'spec'>): Pin | null => {
    const last = run.run.value
    if (last === null || node.kind === 'sink') return null
    const ports: Pin['ports'] = {}
    for (const port of portsOfNode(node).outputs) {
      const { pinned } =
        run.artifacts.value.find((artifact) => artifact.nodeId === node.id && artifact.port === port) ?? {}
      const isRead = workflow.graph.value.edges.some(
        ({ from, fromPort }) => from === node.id && fromPort === port
      )
      if (pinned === undefined || pinned === null) {
        if (isRead) return null
      } else ports[port] = pinned
    }
    return Object.keys(ports).length === 0 ? null : { runId: last.id, ports }
  }

  const pin = (node: GraphNode): void => {
    const found = pinOf(node)
    // Parsed, it is a copy without the screen's proxies, which cannot be sent to the worker.
    if (found !== null) workflow.edit([{ type: 'set-pin', nodeId: node.id, pin: Pin.parse(found) }])
  }

  const runAndPin = async (node: GraphNode): Promise<void> => {
    waiting.value = { nodeId: node.id, before: run.run.value?.id ?? null }
    await run.start({ until: node.id })
    if (run.error.value !== null) waiting.value = null
  }

  watch([run.run, run.artifacts, waiting], ([last, , asked]) => {
    if (asked === null || last === null || last.id === asked.before) return
    if (last.status === 'queued' || last.status === 'running') return
    const node = workflow.graph.value.nodes.find(({ id }) => id === asked.nodeId)
    if (last.status !== 'succeeded' || node === undefined) waiting.value = null
    else if (pinOf(node) !== null) {
      waiting.value = null
      pin(node)
    }
  })

  return {
    pinOf,
    pin,
    runAndPin,
    waiting,
    unpin: (nodeId: string) => workflow.edit([{ type: 'set-pin', nodeId }])
  }
}
export type Pins = ReturnType<typeof usePins>
