import { useToast } from '@nuxt/ui/composables/useToast'
import { onMounted } from 'vue'
import { useRoute, useRouter, type RouteLocationRaw } from 'vue-router'
import { isMendable, useReadDifferently } from '../data/read-differently/useReadDifferently.ts'
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

/** What a file became, and where it is shown. */
type Brought = { readonly name: string; readonly to: RouteLocationRaw }

const toDataSource = ({ dataSourceId, name }: { dataSourceId: string; name: string }): Brought => ({
  name,
  to: { name: 'data', params: { dataSourceId } }
})

/** Takes in the files that a person drops, picks or opens with the app, one after the other, and says what became of each. */
export const useFileImport = () => {
  const { flowforge } = useWorkerClient()
  const toast = useToast()
  const { report } = useReport()
  const router = useRouter()
  const route = useRoute()
  const readDifferently = useReadDifferently()

  const importOne = async (file: File): Promise<Brought> => {
    const document = await asWorkflowDocument(file).catch(() => null)
    if (document === null) return toDataSource(await flowforge.sources.importFile({ file }))
    const { workflowId } = await flowforge.workflows.import(document)
    return { name: file.name, to: { name: 'workflow', params: { workflowId } } }
  }

  const tellOf = async ({ name, to }: Brought, isAlone: boolean): Promise<void> => {
    // Someone who is drawing a workflow stays there; the new source is a choice in its forms at once.
    const stays = route.name === 'workflow' || !isAlone
    toast.add({
      title: `${name} is here`,
      icon: 'i-lucide-circle-check',
      color: 'success',
      actions: stays
        ? [{ label: 'Show', color: 'neutral', variant: 'subtle', onClick: () => void router.push(to) }]
        : []
    })
    if (!stays) await router.push(to)
  }

  const refused = (file: File, error: unknown): void => {
    const askHow = async (): Promise<void> => {
      const added = await readDifferently(file, error)
      if (added !== null) await tellOf(toDataSource(added), true)
    }
    const way = { label: 'Read it differently', icon: 'i-lucide-sliders-horizontal', onClick: askHow }
    report(error, `${file.name} could not be read`, isMendable(error) ? [way] : [])
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
        const brought = await importOne(file)
        toast.remove(shown.id)
        await tellOf(brought, files.length === 1)
      } catch (error) {
        toast.remove(shown.id)
        refused(file, error)
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
