import { useToast } from '@nuxt/ui/composables/useToast'
import { onMounted } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { useWorkerClient } from '../useWorkerClient.ts'
import { useReport } from './useReport.ts'

/** Endings that the picker offers. What is dropped is tried whatever its ending: the worker says what it cannot read. */
export const ACCEPTED =
  '.csv,.tsv,.tab,.txt,.json,.ndjson,.jsonl,.xlsx,.parquet,.arrow,.feather,.sqlite,.sqlite3,.db,.duckdb,.ddb'

const WORKFLOW_FORMAT = 'flowforge.workflow/1'
/** A workflow file holds no data: one that is larger is data. */
const LARGEST_WORKFLOW = 4_000_000

const asWorkflowDocument = async (file: File): Promise<unknown> => {
  if (!file.name.toLowerCase().endsWith('.json') || file.size > LARGEST_WORKFLOW) return null
  const text = await file.text()
  if (!text.includes(WORKFLOW_FORMAT)) return null
  try {
    const document: unknown = JSON.parse(text)
    const isWorkflow =
      typeof document === 'object' &&
      document !== null &&
      'format' in document &&
      document.format === WORKFLOW_FORMAT
    return isWorkflow ? document : null
  } catch {
    // Broken JSON is a broken data file: its import says where.
    return null
  }
}

/** Takes in the files that a person drops, picks or opens with the app, one after the other, and says what became of each. */
export const useFileImport = () => {
  const { flowforge } = useWorkerClient()
  const toast = useToast()
  const { report } = useReport()
  const router = useRouter()
  const route = useRoute()

  const importOne = async (file: File) => {
    const document = await asWorkflowDocument(file).catch(() => null)
    if (document !== null) {
      const { workflowId } = await flowforge.workflows.import(document)
      return { name: file.name, to: { name: 'workflow', params: { workflowId } } }
    }
    const { dataSourceId, name } = await flowforge.sources.importFile({ file })
    return { name, to: { name: 'data', params: { dataSourceId } } }
  }

  const importFiles = async (files: readonly File[]): Promise<void> => {
    for (const file of files) {
      // A note of its own for each state: one that changes keeps the height that it was laid out with.
      const shown = toast.add({
        title: `Reading ${file.name}…`,
        icon: 'i-lucide-loader-circle',
        duration: 0,
        close: false,
        ui: { icon: 'animate-spin' }
      })
      try {
        const { name, to } = await importOne(file)
        // Someone who is drawing a workflow stays there; the new source is a choice in its forms at once.
        const stays = route.name === 'workflow' || files.length > 1
        toast.remove(shown.id)
        toast.add({
          title: `${name} is here`,
          icon: 'i-lucide-circle-check',
          color: 'success',
          actions: stays
            ? [{ label: 'Show', color: 'neutral', variant: 'subtle', onClick: () => void router.push(to) }]
            : []
        })
        if (!stays) await router.push(to)
      } catch (error) {
        toast.remove(shown.id)
        report(error, `${file.name} could not be read`)
      }
    }
  }

  const chooseFiles = (): void => {
    const input = document.createElement('input')
    input.type = 'file'
    input.multiple = true
    input.accept = ACCEPTED
    input.addEventListener('change', () => void importFiles([...(input.files ?? [])]))
    input.click()
  }
  return { importFiles, chooseFiles }
}

/** Files that the desktop opens with the installed app. */
export const useLaunchedFiles = (): void => {
  const { importFiles } = useFileImport()
  onMounted(() => {
    window.launchQueue?.setConsumer(async ({ files }) => {
      await importFiles(await Promise.all(files.map((handle) => handle.getFile())))
    })
  })
}
