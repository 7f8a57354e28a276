import { computed, shallowRef, watch } from 'vue'
import type { WorkflowCheck } from '../../worker/api.ts'
import type { Problem } from '../../workflow/problem.ts'
import { useWorkerClient } from '../useWorkerClient.ts'
import type { KnownColumn } from './graph/transform-steps.ts'
import type { WorkflowDraft } from './useWorkflow.ts'

const CHECK_MS = 300

/** The draft's problems and the columns between its nodes, looked at again after each edit. */
export const useCheck = (workflow: WorkflowDraft, sources: { readonly value: unknown }) => {
  const { flowforge } = useWorkerClient()
  const check = shallowRef<WorkflowCheck | null>(null)
  const error = shallowRef<unknown>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  const look = async (): Promise<void> => {
    asked += 1
    const mine = asked
    try {
      const found = await flowforge.workflows.check({ workflowId: workflow.workflowId })
      if (mine !== asked) return
      check.value = found
      error.value = null
    } catch (thrown) {
      if (mine === asked) error.value = thrown
    }
  }

  watch(
    [() => workflow.view.value?.seq, () => sources.value],
    ([seq]) => {
      clearTimeout(timer)
      if (seq !== undefined) timer = setTimeout(() => void look(), check.value === null ? 0 : CHECK_MS)
    },
    { immediate: true }
  )

  const problems = computed<readonly Problem[]>(() => check.value?.problems ?? [])
  const problemsByNode = computed(() => {
    const byNode = new Map<string, Problem[]>()
    for (const problem of problems.value) {
      if (problem.nodeId === undefined) continue
      byNode.set(problem.nodeId, [...(byNode.get(problem.nodeId) ?? []), problem])
    }
    return byNode
  })

  /** The columns that leave a port, or null where they are not known. */
  const columnsOut = (nodeId: string, port: string): readonly KnownColumn[] | null =>
    check.value?.columns[nodeId]?.[port] ?? null

  /** The columns that reach an input port, by its first wire. */
  const columnsIn = (nodeId: string, port: string): readonly KnownColumn[] | null => {
    const edge = workflow.graph.value.edges.find(({ to, toPort }) => to === nodeId && toPort === port)
    return edge === undefined ? null : columnsOut(edge.from, edge.fromPort)
  }

  return {
    problems,
    problemsByNode,
    columnsOut,
    columnsIn,
    error,
    isChecked: computed(() => check.value !== null)
  }
}
export type WorkflowProblems = ReturnType<typeof useCheck>
