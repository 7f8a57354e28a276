import { z } from 'zod'
import { FlowForgeError, toFlowForgeError, type DbContext } from '../db/ports.ts'
import { DataSourceKind, ManualContent, Prepared } from '../workflow/data-source/events.ts'
import { overOwnOptions, SourceOptions } from '../workflow/data-source/source-options.ts'
import { WebRequest } from '../workflow/data-source/web-request.ts'
import type { PlanCatalog } from '../workflow/plan-compiling.ts'
import type { SourceShape, UnreadableSource } from '../workflow/plan-types.ts'
import { isDatasetId, toDatasetSource, type Datasets } from './datasets.ts'
import {
  sourceKey,
  type ComputeEngine,
  type PreparedSource,
  type SourceKind
} from './engine/compute-engine.ts'

/** What `data_sources.config_json` holds of an imported file. */
export const SourceConfig = z.object({
  fileName: z.string(),
  mediaType: z.string(),
  size: z.number(),
  sha256: z.string(),
  blobKey: z.string(),
  /** What was told of the file when it was imported. */
  options: SourceOptions.optional(),
  prepared: Prepared,
  /** Of one that was fetched: what was asked for, without secrets. */
  web: z.object({ request: WebRequest, pages: z.number(), fetchedAt: z.string() }).optional()
})
export type SourceConfig = z.infer<typeof SourceConfig>
/** What `data_sources.kind` says of those that workflows can read. */
const ReadableKind = z.enum([...DataSourceKind.options, 'http', 'manual'])

export type CatalogSource = {
  readonly id: string
  readonly name: string
  readonly kind: SourceKind
  readonly config: SourceConfig
}

const SourceRow = z.object({
  id: z.string(),
  name: z.string(),
  kind: ReadableKind,
  config_json: z.string()
})

const Told = z.object({ options: SourceOptions.optional() })

const SchemaRow = z.object({ version: z.number(), schema_json: z.string() })

const toSource = (row: unknown): CatalogSource => {
  const { id, name, kind, config_json } = SourceRow.parse(row)
  const config = SourceConfig.parse(JSON.parse(config_json))
  // What was fetched lies in a file that is read as any other.
  const fetched = config.web?.request.format === 'csv' ? 'csv' : 'json'
  return { id, name, kind: kind === 'http' ? fetched : kind, config }
}

const COLUMNS = 'id, name, kind, config_json'
const KINDS = ReadableKind.options.map((kind) => `'${kind}'`).join(', ')
const OWN_KINDS = `kind IN (${KINDS}) AND json_type(config_json, '$.prepared') = 'object'`

/** The data sources that workflows can read. Rows that others wrote into the table without a file are not among them. */
export type Catalog = {
  /** @throws FlowForgeError `NOT_FOUND` */
  byId(dataSourceId: string): Promise<CatalogSource>
  byName(name: string): Promise<CatalogSource | undefined>
  /**
   * One that was read with these bytes: as it is now, or, where rows were typed by hand and edited since, as it was then.
   * Undefined where it is not what was read any more. @throws FlowForgeError `NOT_FOUND`
   */
  asRead(dataSourceId: string, sha256: string): Promise<CatalogSource | undefined>
  /** The same bytes under the same name, read with the same options. */
  sameFile(
    name: string,
    sha256: string,
    options: Readonly<Record<string, unknown>>
  ): Promise<CatalogSource | undefined>
  /** What was told of a file at its import, also of one that was removed since. */
  importOptions(dataSourceId: string): Promise<SourceOptions>
  /** `name`, or with the first number behind it that makes it free: `orders (2).csv`. */
  freeName(name: string): Promise<string>
  /** The source as a node's options read it, over those of its import. */
  prepared(source: CatalogSource, options: Readonly<Record<string, unknown>>): Promise<PreparedSource>
  /** What the planner asks: shapes by name and options, of data sources and of datasets. */
  find: PlanCatalog['find']
  /** The shape of a source that was found already. */
  shapeOf(
    source: CatalogSource,
    options: Readonly<Record<string, unknown>>
  ): Promise<SourceShape | UnreadableSource>
  findDataset: NonNullable<PlanCatalog['findDataset']>
  findSchema: NonNullable<PlanCatalog['findSchema']>
}

/** So many files read with options of their own are remembered; what was forgotten is read again. */
const MOST_REMEMBERED = 64

const numbered = (name: string, number: number): string => {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? `${name} (${number})` : `${name.slice(0, dot)} (${number})${name.slice(dot)}`
}

export const createCatalog = (context: DbContext, engine: ComputeEngine, datasets: Datasets): Catalog => {
  const select = async (where: string, params: readonly unknown[]): Promise<CatalogSource | undefined> => {
    const sql = `SELECT ${COLUMNS} FROM data_sources WHERE ${OWN_KINDS} AND ${where} ORDER BY created_at LIMIT 1`
    const [row] = await context.projectionStore.query({ sql, params })
    return row === undefined ? undefined : toSource(row)
  }
  /** Files read with a node's own options, by bytes and options: of the same bytes the answer is the same. */
  const withOptions = new Map<string, Promise<PreparedSource>>()

  const prepared: Catalog['prepared'] = async (source, options) => {
    if (Object.keys(options).length === 0) return source.config.prepared
    if (isDatasetId(source.id)) {
      const message = `"${source.name}" is a dataset, which has its columns already: it is read without options.`
      throw new FlowForgeError('INVALID_INPUT', message, { options: Object.keys(options) })
    }
    const key = `${source.config.sha256} ${sourceKey(source.id, options)}`
    const known = withOptions.get(key)
    if (known !== undefined) {
      // The one that was asked for last is forgotten last.
      withOptions.delete(key)
      withOptions.set(key, known)
      return known
    }
    const { blobKey, fileName, options: own = {} } = source.config
    const reading = engine.prepare({
      blobKey,
      fileName,
      kind: source.kind,
      options: overOwnOptions(own, options)
    })
    withOptions.set(key, reading)
    // A failure may pass (a full disk): the next one who asks tries again.
    reading.catch(() => withOptions.delete(key))
    const [oldest] = withOptions.size > MOST_REMEMBERED ? withOptions.keys() : []
    if (oldest !== undefined) withOptions.delete(oldest)
    return reading
  }

  const byName: Catalog['byName'] = async (name) => {
    const source = await select('name = ?', [name])
    if (source !== undefined) return source
    const { itemId, file } = (await datasets.byName(name)) ?? {}
    return itemId === undefined || file === undefined ? undefined : toDatasetSource(itemId, name, file)
  }

  const shapeOf: Catalog['shapeOf'] = async (source, options) => {
    try {
      const { columns, rows } = await prepared(source, options)
      return { dataSourceId: source.id, name: source.name, columns, rows, untyped: source.kind === 'csv' }
    } catch (thrown) {
      const error = toFlowForgeError(thrown)
      if (error.code === 'INVALID_INPUT') return { unreadable: error.message }
      throw error
    }
  }

  const byId: Catalog['byId'] = async (dataSourceId) => {
    const source = isDatasetId(dataSourceId)
      ? await datasets.sourceById(dataSourceId)
      : await select('id = ?', [dataSourceId])
    if (source !== undefined) return source
    throw new FlowForgeError('NOT_FOUND', `There is no data source "${dataSourceId}".`, { dataSourceId })
  }

  return {
    byId,
    byName,
    asRead: async (dataSourceId, sha256) => {
      const source = await byId(dataSourceId)
      if (source.config.sha256 === sha256) return source
      if (source.kind !== 'manual') return undefined
      const events = await context.eventStore.load({ aggregateId: dataSourceId })
      const config = events
        .map(({ payload }) => ManualContent.safeParse(payload['content']).data)
        .findLast((content) => content?.sha256 === sha256)
      return config && { ...source, config }
    },
    sameFile: async (name, sha256, options) => {
      const source = await select(`name = ? AND config_json ->> '$.sha256' = ?`, [name, sha256])
      const isReadSo = (own: Readonly<Record<string, unknown>>): boolean =>
        sourceKey(name, own) === sourceKey(name, options)
      return source !== undefined && isReadSo(source.config.options ?? {}) ? source : undefined
    },
    importOptions: async (dataSourceId) => {
      const [first] = await context.eventStore.load({ aggregateId: dataSourceId, limit: 1 })
      return Told.safeParse(first?.payload).data?.options ?? {}
    },
    freeName: async (name) => {
      const rows = await context.projectionStore.query({
        sql: 'SELECT name FROM data_sources UNION ALL SELECT name FROM datasets'
      })
      const taken = new Set(rows.map((row) => row['name']))
      if (!taken.has(name)) return name
      let number = 2
      while (taken.has(numbered(name, number))) number += 1
      return numbered(name, number)
    },
    prepared,
    findSchema: async (name, version) => {
      const sql = `SELECT version, schema_json FROM schemas WHERE name = ?1 AND (?2 IS NULL OR version = ?2)
                   ORDER BY version DESC LIMIT 1`
      const [row] = await context.projectionStore.query({ sql, params: [name, version ?? null] })
      if (row === undefined) return undefined
      const found = SchemaRow.parse(row)
      return { version: found.version, schema: JSON.parse(found.schema_json) }
    },
    find: async (name, options) => {
      const source = await byName(name)
      if (source !== undefined) return shapeOf(source, options)
      return (
        (await datasets.byName(name)) && {
          unreadable: `Nothing has been written to the dataset "${name}" yet. Run the workflow that writes it first.`,
          isEmpty: true
        }
      )
    },
    shapeOf,
    findDataset: async (name) => {
      if ((await select('name = ?', [name])) !== undefined) return { columns: [], isDataSource: true }
      const file = (await datasets.byName(name))?.file
      return file && { columns: file.columns }
    }
  }
}
