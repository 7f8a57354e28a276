import { ref, shallowRef } from 'vue'
import { useRouter } from 'vue-router'
import { z } from 'zod'
import { FlowForgeError } from '../../../worker/api.ts'
import { useWorkerClient } from '../../useWorkerClient.ts'
import { saveBlob } from '../save-blob.ts'
import type { WorkflowSummary } from './workflow-summary.ts'

const Named = z.looseObject({ name: z.string() })

const parseFile = async (file: File): Promise<unknown> => {
  const text = await file.text()
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `${file.name} is no workflow: it is not JSON. Choose a file that FlowForge exported.`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName: file.name }, cause)
  }
}

/** What can be done to the workflows of the list. A failure stands in `error` until it is dismissed. */
export const useWorkflowActions = () => {
  const { flowforge } = useWorkerClient()
  const router = useRouter()
  const error = shallowRef<unknown>(null)
  const isBusy = ref(false)

  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    if (isBusy.value) return
    isBusy.value = true
    error.value = null
    try {
      await act()
    } catch (thrown) {
      error.value = thrown
    } finally {
      isBusy.value = false
    }
  }
  const open = (workflowId: string) => router.push({ name: 'workflow', params: { workflowId } })

  return {
    error,
    isBusy,
    create: () =>
      attempt(async () => {
        const { workflowId } = await flowforge.workflows.create({})
        await open(workflowId)
      }),
    importFile: (file: File) =>
      attempt(async () => {
        const { workflowId } = await flowforge.workflows.import(await parseFile(file))
        await open(workflowId)
      }),
    /** By export and import: what is copied is what an export would hold, and the secrets, which stay here. */
    duplicate: ({ id }: WorkflowSummary) =>
      attempt(async () => {
        const document = Named.parse(await flowforge.workflows.export({ workflowId: id, keepsSecrets: true }))
        await flowforge.workflows.import({ ...document, name: `${document.name} copy` })
      }),
    exportFile: ({ id, name }: WorkflowSummary) =>
      attempt(async () => {
        const document = await flowforge.workflows.export({ workflowId: id })
        const json = JSON.stringify(document, null, 2)
        saveBlob(new Blob([json], { type: 'application/json' }), `${name}.flowforge.json`)
      }),
    rename: ({ id }: WorkflowSummary, name: string) =>
      attempt(() => flowforge.workflows.describe({ workflowId: id, name })),
    /** Fails to its caller: the dialog that asked says why. */
    remove: ({ id }: WorkflowSummary): Promise<void> => flowforge.workflows.remove({ workflowId: id })
  }
}
