import { z } from 'zod'
import type { Prepared } from '../../workflow/data-source/events.ts'
import { SourceOptions } from '../../workflow/data-source/source-options.ts'
import { WebRequest } from '../../workflow/data-source/web-request.ts'
import { ManualColumn, type ManualRows } from '../../workflow/manual/manual-rows.ts'
import type { TableProfile } from '../../workflow/profile/table-profile.ts'
import type { RowSchema } from '../../workflow/schema/json-schema.ts'
import type { Page } from './page.ts'
import { Text, type In } from './parts.ts'

/** A cell as it is typed; numbers and booleans of a script become their text. Null is NULL, `''` the empty text. */
const Cell = z
  .union([z.string(), z.number(), z.bigint(), z.boolean(), z.null()])
  .transform((value) => (value === null ? null : String(value)))
const Typed = { columns: z.array(ManualColumn), rows: z.array(z.array(Cell)) }

/** A name that the caller gives a fetch, by which it can be stopped. */
const FetchId = Text.max(100).optional()

export const sourcesInputs = {
  /**
   * `name` defaults to the file's; a name that is taken gets a number behind it: `orders (2).csv`. + `options`, as a source
   * node's, say how the file is read where what is found in it is wrong: they are kept, every reading starts from them,
   * and a node's own win, key by key. `INVALID_INPUT` with `details.mendableBy: 'csv-options'` where others may help.
   */
  importFile: z.strictObject({
    file: z.instanceof(File),
    name: Text.max(200).optional(),
    options: SourceOptions.optional()
  }),
  /** + Reads a file as the options say, and shows its first rows and how it was read; keeps nothing. */
  tryFile: z.strictObject({ file: z.instanceof(File), options: SourceOptions.optional() }),
  /**
   * + Fetches all pages of an address into one file, and makes it a data source. Nothing is kept of a fetch that fails.
   * What looks like a secret in headers and parameters is used, and not kept.
   */
  fetchHttp: z.strictObject({ request: WebRequest, name: Text.max(200).optional(), fetchId: FetchId }),
  /** + Fetches it anew; what was there stays until all is. `secrets`: values of the headers and parameters not kept. */
  refresh: z.strictObject({
    dataSourceId: Text,
    secrets: z.record(z.string(), z.string()).optional(),
    fetchId: FetchId
  }),
  /** + Stops it: its call fails with `CANCELED`, and nothing is kept of it. One that has ended, or none, is no error. */
  cancelFetch: z.strictObject({ fetchId: Text }),
  /**
   * + Makes a data source of rows typed by hand, each with a cell a column. `INVALID_INPUT` names the row and the column
   * of a cell that does not fit its type; at most 10,000 rows, 100 columns and 10,000 characters a cell.
   */
  createManual: z.strictObject({ name: z.string().trim().min(1).max(200), ...Typed }),
  /**
   * + Replaces its rows and columns; runs made before keep what they read. With `expectedSha256`, refused with `CONFLICT`
   * where it has been edited since.
   */
  editManual: z.strictObject({ dataSourceId: Text, expectedSha256: Text.optional(), ...Typed }),
  /** + Its rows whole, as they were typed. */
  readManual: z.strictObject({ dataSourceId: Text }),
  /** + Fetches the first page alone and shows its first rows; keeps nothing but that it was asked. */
  tryHttp: z.strictObject({ request: WebRequest, fetchId: FetchId }),
  /** + First rows and the count of all. */
  preview: z.strictObject({
    dataSourceId: Text,
    offset: z.number().int().min(0).optional(),
    limit: z.number().int().min(1).max(10_000).optional()
  }),
  /** + A JSON Schema that all of its rows hold. */
  inferSchema: z.strictObject({ dataSourceId: Text }),
  /** + What stands in its columns, as a source node's `options` read it: computed when it is first asked for, and kept. */
  profile: z.strictObject({ dataSourceId: Text, options: z.record(z.string(), z.unknown()).optional() }),
  /** + The names that workflows know it by change with it only in drafts that are edited by hand. */
  rename: z.strictObject({ dataSourceId: Text, name: Text.max(200) }),
  /** + Removes it from the catalog; refused with `CONFLICT` while a draft or an active version names it. */
  remove: z.strictObject({ dataSourceId: Text })
} as const

type Inputs = { [K in keyof typeof sourcesInputs]: In<(typeof sourcesInputs)[K]> }

export type SourcesApi = {
  importFile(args: Inputs['importFile']): Promise<{ dataSourceId: string; name: string }>
  tryFile(args: Inputs['tryFile']): Promise<Page & { notes: string[]; reader: Prepared['reader'] }>
  fetchHttp(args: Inputs['fetchHttp']): Promise<{ dataSourceId: string; name: string }>
  refresh(args: Inputs['refresh']): Promise<{ rows: number; pages: number; isChanged: boolean }>
  cancelFetch(args: Inputs['cancelFetch']): Promise<void>
  createManual(args: Inputs['createManual']): Promise<{ dataSourceId: string; name: string; sha256: string }>
  editManual(args: Inputs['editManual']): Promise<{ sha256: string; isChanged: boolean }>
  readManual(args: Inputs['readManual']): Promise<ManualRows & { name: string; sha256: string }>
  tryHttp(args: Inputs['tryHttp']): Promise<Page & { notes: string[] }>
  preview(args: Inputs['preview']): Promise<Page>
  inferSchema(args: Inputs['inferSchema']): Promise<RowSchema>
  profile(args: Inputs['profile']): Promise<TableProfile>
  rename(args: Inputs['rename']): Promise<void>
  remove(args: Inputs['remove']): Promise<void>
}
