import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { dataSourceAggregate } from '../workflow/data-source/data-source.ts'
import { inferSchema } from '../workflow/schema/infer-schema.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import type { AggregateStore } from './aggregate-store.ts'
import type { Catalog } from './catalog.ts'
import type { ComputeEngine, SourceKind } from './engine/compute-engine.ts'
import { handler } from './handler.ts'
import type { Profiles } from './profiles.ts'
import type { ManualSourceApi } from './manual-source-handlers.ts'
import { forgetFile, keeping } from './source-files.ts'
import type { WebSourceApi } from './web-source-handlers.ts'
import type { World } from './world.ts'

const inputs = flowForgeInputs.sources

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

  const importFile = async (
    { file, name }: { file: File; name?: string | undefined },
    callId: string | undefined
  ) => {
    const kind = kindOf(file.name)
    const stream = await readableStream(file)
    const mediaType = file.type === '' ? 'application/octet-stream' : file.type
    const kept = { stream, mediaType, fileName: file.name, kind }
    return keeping(parts, kept, async ({ blobKey, size, sha256 }, prepare) => {
      const wanted = name ?? file.name
      const same = await catalog.sameFile(wanted, sha256)
      if (same !== undefined) return { dataSourceId: same.id, name: same.name }
      const prepared = await prepare()
      const dataSourceId = `datasource:${callId ?? world.newId()}`
      const freeName = await catalog.freeName(wanted)
      await aggregates.once(callId).execute(dataSourceAggregate, dataSourceId, {
        type: 'ImportDataSource',
        name: freeName,
        kind,
        fileName: file.name,
        mediaType,
        size,
        sha256,
        blobKey,
        prepared: { ...prepared, columns: [...prepared.columns], notes: [...prepared.notes] }
      })
      return { dataSourceId, name: freeName }
    })
  }

  /** Names of the workflows whose draft or active version reads it. */
  const usedBy = async (name: string): Promise<string[]> => {
    const sql = `SELECT DISTINCT w.name FROM nodes n
                 JOIN workflow_versions v ON v.id = n.workflow_version_id JOIN workflows w ON w.id = v.workflow_id
                 WHERE n.kind = 'source' AND v.status IN ('draft', 'active') AND n.spec_json ->> '$.dataSource' = ?
                 ORDER BY w.name`
    return (await context.projectionStore.query({ sql, params: [name] })).map((row) => String(row['name']))
  }

  return {
    importFile: handler('sources.importFile', inputs.importFile, importFile),
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
