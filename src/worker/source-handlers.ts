import type { z } from 'zod'
import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { dataSourceAggregate } from '../workflow/data-source/data-source.ts'
import type { SourceOptions } from '../workflow/data-source/source-options.ts'
import { inferSchema } from '../workflow/schema/infer-schema.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import type { AggregateStore } from './aggregate-store.ts'
import type { Catalog } from './catalog.ts'
import type { ComputeEngine, SourceKind } from './engine/compute-engine.ts'
import { handler } from './handler.ts'
import type { Profiles } from './profiles.ts'
import type { ManualSourceApi } from './manual-source-handlers.ts'
import { forgetFile, forgetTried, keeping } from './source-files.ts'
import { createTurns } from './turns.ts'
import type { WebSourceApi } from './web-source-handlers.ts'
import type { World } from './world.ts'

const inputs = flowForgeInputs.sources
const TRIED_ROWS = 20

type ImportArgs = z.output<typeof inputs.importFile>

/** File name endings that can be imported, and how each is read. */
type FileKind = Exclude<SourceKind, 'manual'>
const KINDS: Readonly<Record<string, FileKind>> = {
  csv: 'csv',
  tsv: 'csv',
  tab: 'csv',
  txt: 'csv',
  json: 'json',
  ndjson: 'json',
  jsonl: 'json',
  xlsx: 'excel',
  parquet: 'parquet',
  arrow: 'file',
  feather: 'file',
  sqlite: 'db',
  sqlite3: 'db',
  db: 'db',
  duckdb: 'db',
  ddb: 'db'
}

const kindOf = (fileName: string): FileKind => {
  const ending = fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase()
  const kind = Object.hasOwn(KINDS, ending) ? KINDS[ending] : undefined
  if (kind !== undefined) return kind
  throw new FlowForgeError(
    'INVALID_INPUT',
    `"${fileName}" is of a kind that cannot be read yet. Drop a .csv, .tsv, .json, .ndjson, .xlsx, .parquet, .arrow, .sqlite or .duckdb file.`,
    { fileName, reason: 'unknown-kind' }
  )
}

/** @throws FlowForgeError `INVALID_INPUT` for what is no file, such as a folder */
const readableStream = async (file: File): Promise<ReadableStream<Uint8Array>> => {
  try {
    // A folder looks like a file until its first byte is asked for.
    await file.slice(0, 1).arrayBuffer()
  } catch (cause) {
    const message = `"${file.name}" cannot be read: it is a folder, or the file has gone. Drop the file itself.`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName: file.name, reason: 'unreadable' }, cause)
  }
  if (file.size === 0) {
    const message = `"${file.name}" is empty: it has no bytes. Check where it was written.`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName: file.name, reason: 'empty', line: 1 })
  }
  return file.stream()
}

/** The calls about web sources and about rows typed by hand have files of their own. */
type FileSources = Omit<FlowForgeApi['sources'], keyof WebSourceApi | keyof ManualSourceApi>

export type SourceParts = {
  context: DbContext
  aggregates: AggregateStore
  catalog: Catalog
  engine: ComputeEngine
  profiles: Profiles
  world: World
}

export const createSourceHandlers = (parts: SourceParts): FileSources => {
  const { context, aggregates, catalog, engine, profiles, world } = parts

  /** Only files of one size can be the same: a try of one never takes the bytes from under another call. */
  const inTurn = createTurns<number>()

  /** What is read of a file that was dropped, and how. */
  const opened = async (file: File, options: SourceOptions = {}) => {
    const kind = kindOf(file.name)
    const stream = await readableStream(file)
    const mediaType = file.type === '' ? 'application/octet-stream' : file.type
    return { stream, mediaType, fileName: file.name, kind, options }
  }

  const importOne = async ({ file, name, options = {} }: ImportArgs, callId: string | undefined) => {
    const dataSourceId = `datasource:${callId ?? world.newId()}`
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) return { dataSourceId, name: (await catalog.byId(dataSourceId)).name }
    const { stream, ...read } = await opened(file, options)
    const told = Object.keys(options).length > 0 ? { options } : {}
    return keeping(parts, { stream, ...read }, async (stored, prepare) => {
      const wanted = name ?? file.name
      const same = await catalog.sameFile(wanted, stored.sha256, options)
      if (same !== undefined) return { dataSourceId: same.id, name: same.name }
      const prepared = await prepare()
      const freeName = await catalog.freeName(wanted)
      await command.execute(dataSourceAggregate, dataSourceId, {
        type: 'ImportDataSource',
        name: freeName,
        kind: read.kind,
        fileName: read.fileName,
        mediaType: read.mediaType,
        ...stored,
        ...told,
        prepared: { ...prepared, columns: [...prepared.columns], notes: [...prepared.notes] }
      })
      return { dataSourceId, name: freeName }
    })
  }

  const tryOne = async ({ file, options }: Omit<ImportArgs, 'name'>) =>
    keeping(parts, await opened(file, options), async ({ blobKey }, prepare) => {
      const prepared = await prepare()
      const page = await engine.page({ source: prepared, offset: 0, limit: TRIED_ROWS })
      await forgetTried(context, { blobKey, prepared })
      return { ...page, notes: [...prepared.notes], reader: prepared.reader }
    })

  /** Names of the workflows whose draft or active version reads it. */
  const usedBy = async (name: string): Promise<string[]> => {
    const sql = `SELECT DISTINCT w.name FROM nodes n
                 JOIN workflow_versions v ON v.id = n.workflow_version_id JOIN workflows w ON w.id = v.workflow_id
                 WHERE n.kind = 'source' AND v.status IN ('draft', 'active') AND n.spec_json ->> '$.dataSource' = ?
                 ORDER BY w.name`
    return (await context.projectionStore.query({ sql, params: [name] })).map((row) => String(row['name']))
  }

  return {
    importFile: handler('sources.importFile', inputs.importFile, (args, callId) =>
      inTurn(args.file.size, () => importOne(args, callId))
    ),
    tryFile: handler('sources.tryFile', inputs.tryFile, (args) => inTurn(args.file.size, () => tryOne(args))),
    preview: handler(
      'sources.preview',
      inputs.preview,
      async ({ dataSourceId, offset = 0, limit = 1_000 }) => {
        const source = await catalog.byId(dataSourceId)
        return engine.page({ source: source.config.prepared, offset, limit })
      }
    ),
    inferSchema: handler('sources.inferSchema', inputs.inferSchema, async ({ dataSourceId }) => {
      const { prepared } = (await catalog.byId(dataSourceId)).config
      const nulls = await engine.nullCounts({ source: prepared })
      return inferSchema(prepared.columns.map((column, at) => ({ ...column, nulls: nulls[at] ?? 0 })))
    }),
    profile: handler('sources.profile', inputs.profile, async ({ dataSourceId, options = {} }) =>
      profiles.ofSource(await catalog.prepared(await catalog.byId(dataSourceId), options))
    ),
    rename: handler('sources.rename', inputs.rename, async ({ dataSourceId, name }, callId) => {
      const taken = await catalog.byName(name)
      if (taken !== undefined && taken.id !== dataSourceId) {
        throw new FlowForgeError('CONFLICT', `There is already a data source named "${name}".`, { name })
      }
      const sql = 'SELECT 1 FROM datasets WHERE name = ?'
      if ((await context.projectionStore.query({ sql, params: [name] })).length > 0) {
        throw new FlowForgeError('CONFLICT', `"${name}" is the name of a dataset. Choose another.`, { name })
      }
      await aggregates
        .once(callId)
        .execute(dataSourceAggregate, dataSourceId, { type: 'RenameDataSource', name })
    }),
    remove: handler('sources.remove', inputs.remove, async ({ dataSourceId }, callId) => {
      const command = aggregates.once(callId)
      if (await command.wasCarriedOut()) return
      const source = await catalog.byId(dataSourceId)
      const workflows = await usedBy(source.name)
      if (workflows.length > 0) {
        const message = `"${source.name}" is used by ${workflows.map((name) => `"${name}"`).join(', ')}. Choose another source there first.`
        throw new FlowForgeError('CONFLICT', message, { workflows })
      }
      await command.execute(dataSourceAggregate, dataSourceId, { type: 'RemoveDataSource' })
      await forgetFile(parts, source.config)
    })
  }
}
