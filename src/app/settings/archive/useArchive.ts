import { useIntervalFn } from '@vueuse/core'
import { computed, ref, shallowRef, watch } from 'vue'
import type {
  ArchiveFinding,
  ArchiveFolder,
  ArchivePreview,
  ArchiveProgress,
  ArchiveSegment
} from '../../../worker/api.ts'
import { formatCount, formatQuantity } from '../../ui/format.ts'
import { useLiveQuery } from '../../useLiveQuery.ts'
import { useWorkerClient } from '../../useWorkerClient.ts'
import { endedBefore } from './archive-words.ts'
import { askForFolder, chooseFolder } from './choose-folder.ts'

/** How often a job that is under way is asked how far it has come, in ms. */
const LOOK_MS = 300

/** What is archived, what could be, and what a person does with it; one thing at a time. */
export const useArchive = () => {
  const { archive } = useWorkerClient().flowforge
  const preview = shallowRef<ArchivePreview | null>(null)
  const segments = shallowRef<readonly ArchiveSegment[] | null>(null)
  /** Those that hold segments, and that the browser asks about again. */
  const refused = shallowRef<readonly ArchiveFolder[]>([])
  const progress = shallowRef<ArchiveProgress | null>(null)
  /** Of the segments that were read through; null for one that is sound. */
  const checked = shallowRef<ReadonlyMap<number, string | null>>(new Map())
  const error = ref<unknown>(null)
  const said = ref('')
  const isBusy = ref(false)
  /** In days; 0 for whatever has ended. */
  const age = ref(0)

  const before = () => {
    const time = endedBefore(age.value, new Date())
    return time === undefined ? {} : { endedBefore: time }
  }

  const load = async (): Promise<void> => {
    const [could, list] = await Promise.all([archive.preview(before()), archive.list()])
    preview.value = could
    segments.value = list.segments
    progress.value = list.progress
    const isInFolders = list.segments.some(({ place }) => place === 'folder')
    refused.value = isInFolders ? (await archive.folders()).filter(({ isAllowed }) => !isAllowed) : []
  }
  const loadOrSay = (): Promise<void> =>
    load().catch((thrown: unknown) => {
      error.value = thrown
    })

  const looking = useIntervalFn(
    () =>
      archive.list().then(
        (list) => (progress.value = list.progress),
        () => undefined
      ),
    LOOK_MS,
    { immediate: false }
  )

  const doing = async (work: () => Promise<string>): Promise<void> => {
    isBusy.value = true
    error.value = null
    said.value = ''
    looking.resume()
    try {
      said.value = await work()
    } catch (thrown) {
      error.value = thrown
    } finally {
      looking.pause()
      progress.value = null
      isBusy.value = false
      await loadOrSay()
    }
  }

  const note = (segmentIds: readonly number[], findings: readonly ArchiveFinding[]): void => {
    const messages = new Map(findings.map(({ segmentId, message }) => [segmentId, message]))
    checked.value = new Map([
      ...checked.value,
      ...segmentIds.map((id): [number, string | null] => [id, messages.get(id) ?? null])
    ])
  }

  // Another tab, or a script, may archive as well; and what has ended meanwhile shows when the log grows.
  const there = useLiveQuery('SELECT count(*) AS n, max(id) AS last FROM archive_segments')
  watch([there.rows, age], loadOrSay)

  const archiveInto = (folder?: FileSystemDirectoryHandle): Promise<void> =>
    doing(async () => {
      const made = (await archive.create({ ...before(), ...(folder === undefined ? {} : { folder }) }))
        .segments
      const events = made.reduce((sum, segment) => sum + segment.events, 0)
      return `${formatQuantity(events, 'event')} archived in ${formatQuantity(made.length, 'segment')}.`
    })

  return {
    preview,
    segments,
    refused,
    checked,
    age,
    error,
    said,
    isBusy,
    progress: computed(() =>
      progress.value === null
        ? null
        : `${formatCount(progress.value.doneEvents)} of ${formatQuantity(progress.value.ofEvents, 'event')}`
    ),
    archiveNow: () => archiveInto(),
    archiveIntoFolder: async () => {
      const folder = await chooseFolder().catch((thrown: unknown) => {
        error.value = thrown
        return null
      })
      if (folder !== null) await archiveInto(folder)
    },
    allow: async ({ handle }: ArchiveFolder) => {
      await askForFolder(handle)
      await loadOrSay()
    },
    check: () =>
      doing(async () => {
        const ids = (segments.value ?? []).map(({ id }) => id)
        const { findings } = await archive.verify()
        note(ids, findings)
        return findings.length > 0
          ? ''
          : `${formatQuantity(ids.length, 'segment')} read through: every event is as it was archived.`
      }),
    bringBack: (segment: ArchiveSegment) =>
      doing(async () => {
        await archive.restore({ segmentId: segment.id })
        return `${formatQuantity(segment.events, 'event')} brought back into the database.`
      })
  }
}
