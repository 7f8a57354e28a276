import { FlowForgeError } from '../db/ports.ts'
import type { DataSourceCommand } from '../workflow/data-source/data-source.ts'
import { dataSourceAggregate } from '../workflow/data-source/data-source.ts'
import type { ManualContent } from '../workflow/data-source/events.ts'
import { toManualFile } from '../workflow/manual/manual-file.ts'
import { keptRows, manualProblems, type ManualRows } from '../workflow/manual/manual-rows.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import type { CatalogSource } from './catalog.ts'
import { openManualRows } from './engine/prepare-manual.ts'
import { handler } from './handler.ts'
import { forgetFile, keeping } from './source-files.ts'
import type { SourceParts } from './source-handlers.ts'

const inputs = flowForgeInputs.sources
const MEDIA_TYPE = 'application/json'

export type ManualSourceApi = Pick<FlowForgeApi['sources'], 'createManual' | 'editManual' | 'readManual'>

/** @throws FlowForgeError `INVALID_INPUT` that names the first cell, column or bound that is not kept */
const checked = (typed: ManualRows): ManualRows => {
  const problems = manualProblems(typed)
  const [first] = problems
  if (first === undefined) return keptRows(typed)
  const { message, ...place } = first
  const others = problems.length === 1 ? '' : ` It is the first of ${problems.length} problems.`
  throw new FlowForgeError('INVALID_INPUT', message + others, {
    ...place,
    reason: 'manual-rows',
    problems: [...problems]
  })
}

export const createManualSourceHandlers = (parts: SourceParts): ManualSourceApi => {
  const { context, aggregates, catalog, world } = parts
  /** Stores and prepares rows; their file is forgotten again where what follows fails. */
  const storing = <T>(
    fileName: string,
    rows: ManualRows,
    use: (content: ManualContent) => Promise<T>
  ): Promise<T> => {
    const stream = new Blob([toManualFile(rows)]).stream()
    const file = { stream, mediaType: MEDIA_TYPE, fileName, kind: 'manual' } as const
    return keeping(parts, file, async ({ blobKey, size, sha256 }, prepare) => {
      const found = await prepare()
      const prepared = { ...found, columns: [...found.columns], notes: [...found.notes] }
      return use({ fileName, mediaType: MEDIA_TYPE, size, sha256, blobKey, prepared })
    })
  }

  const ofManual = async (dataSourceId: string): Promise<CatalogSource> => {
    const source = await catalog.byId(dataSourceId)
    if (source.kind === 'manual') return source
    const message = `The rows of "${source.name}" were not typed by hand: they cannot be edited here.`
    throw new FlowForgeError('INVALID_INPUT', message, { dataSourceId, reason: 'not-typed-by-hand' })
  }

  const createManual = async (
    { name, ...typed }: { name: string } & ManualRows,
    callId: string | undefined
  ) => {
    const dataSourceId = `datasource:${callId ?? world.newId()}`
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) {
      const { name: given, config } = await catalog.byId(dataSourceId)
      return { dataSourceId, name: given, sha256: config.sha256 }
    }
    return storing(`${name}.json`, checked(typed), async (content) => {
      const freeName = await catalog.freeName(name)
      await command.execute(dataSourceAggregate, dataSourceId, {
        type: 'CreateManualSource',
        name: freeName,
        content
      })
      return { dataSourceId, name: freeName, sha256: content.sha256 }
    })
  }

  const editManual = async (
    {
      dataSourceId,
      expectedSha256,
      ...typed
    }: { dataSourceId: string; expectedSha256?: string | undefined } & ManualRows,
    callId: string | undefined
  ) => {
    const { config } = await ofManual(dataSourceId)
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) return { sha256: config.sha256, isChanged: true }
    const { sha256 } = await storing(config.fileName, checked(typed), async (content) => {
      const edit: DataSourceCommand = { type: 'EditManualSource', content, expectedSha256 }
      await command.execute(dataSourceAggregate, dataSourceId, edit)
      return content
    })
    const isChanged = sha256 !== config.sha256
    if (isChanged) await forgetFile(parts, config)
    return { sha256, isChanged }
  }

  return {
    createManual: handler('sources.createManual', inputs.createManual, createManual),
    editManual: handler('sources.editManual', inputs.editManual, editManual),
    readManual: handler('sources.readManual', inputs.readManual, async ({ dataSourceId }) => {
      const { name, config } = await ofManual(dataSourceId)
      const { columns, rows } = await openManualRows(context.blobStore, config)
      return {
        name,
        sha256: config.sha256,
        columns: [...columns],
        rows: rows.map((cells) => [...cells])
      }
    })
  }
}
