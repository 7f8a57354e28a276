import { z } from 'zod'
import { firstVersion, type EventsOf } from '../aggregate.ts'
import { ValueType } from '../value-type.ts'
import { CsvDialect, TextEncoding } from './csv-reading.ts'
import { SourceOptions } from './source-options.ts'
import { WebRequest } from './web-request.ts'

const Count = z.int().min(0)
const Name = z.string().min(1).max(200)

/** A data source made ready to be scanned: how its bytes are read, and what is in them. */
export const Prepared = z.strictObject({
  reader: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('csv'),
      dialect: CsvDialect,
      /** What the file is in, where it is not UTF-8; what is scanned always is. */
      encoding: TextEncoding.optional(),
      /** Room for the longest line, where the file is scanned in place. */
      lineBytes: z.int().min(1).optional()
    }),
    z.strictObject({ type: z.literal('arrow') })
  ]),
  /** Key in the blob store of the bytes that are scanned; not always those that were imported. */
  blobKey: z.string().min(1),
  columns: z.array(z.strictObject({ name: z.string(), type: ValueType, engineType: z.string() })),
  rows: Count,
  notes: z.array(z.string())
})
export type Prepared = z.infer<typeof Prepared>

/** As `data_sources.kind` names them; `file` is an Arrow file, `db` one of SQLite or DuckDB. */
export const DataSourceKind = z.enum(['csv', 'json', 'excel', 'parquet', 'file', 'db'])

/** `blobKey`, `size` and `sha256` are of the file as it was dropped. */
const DataSourceImported = z.strictObject({
  name: Name,
  kind: DataSourceKind,
  fileName: z.string(),
  mediaType: z.string(),
  size: Count,
  sha256: z.string(),
  blobKey: z.string().min(1),
  /** What was told of the file when it was imported; every reading of it starts from there. */
  options: SourceOptions.optional(),
  prepared: Prepared
})

/** What was fetched, all pages in one file. Facts about it, none of its rows. */
export const WebContent = z.strictObject({
  fileName: z.string(),
  mediaType: z.string(),
  size: Count,
  sha256: z.string(),
  blobKey: z.string().min(1),
  pages: z.int().min(1),
  prepared: Prepared
})
export type WebContent = z.infer<typeof WebContent>

/** Rows typed by hand, in a file of their own. Facts about it, none of its rows. */
export const ManualContent = z.strictObject({
  fileName: z.string(),
  mediaType: z.string(),
  size: Count,
  sha256: z.string(),
  blobKey: z.string().min(1),
  prepared: Prepared
})
export type ManualContent = z.infer<typeof ManualContent>

/** `request` is without its secrets. */
const Fetched = z.strictObject({ request: WebRequest, content: WebContent })

export const dataSourceEvents = {
  DataSourceImported: firstVersion(DataSourceImported),
  WebSourceAdded: firstVersion(Fetched.extend({ name: Name })),
  WebSourceRefreshed: firstVersion(Fetched),
  ManualSourceCreated: firstVersion(z.strictObject({ name: Name, content: ManualContent })),
  ManualSourceEdited: firstVersion(z.strictObject({ content: ManualContent })),
  DataSourceRenamed: firstVersion(z.strictObject({ name: Name })),
  DataSourceRemoved: firstVersion(z.strictObject({}))
} as const

export type DataSourceEvent = EventsOf<typeof dataSourceEvents>
