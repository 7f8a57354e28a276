import { z } from 'zod'
import { WebRequest } from '../../workflow/data-source/web-request.ts'
import type { TableProfile } from '../../workflow/profile/table-profile.ts'
import type { RowSchema } from '../../workflow/schema/json-schema.ts'
import type { Page } from './page.ts'
import { Text, type In } from './parts.ts'

export const sourcesInputs = {
  /** `name` defaults to the file's; a name that is taken gets a number behind it: `orders (2).csv`. */
  importFile: z.strictObject({ file: z.instanceof(File), name: Text.max(200).optional() }),
  /**
   * + Fetches all pages of an address into one file, and makes it a data source. Nothing is kept of a fetch that fails.
   * What looks like a secret in headers and parameters is used, and not kept.
   */
  fetchHttp: z.strictObject({ request: WebRequest, name: Text.max(200).optional() }),
  /** + Fetches it anew; what was there stays until all is. `secrets`: values of the headers and parameters not kept. */
  refresh: z.strictObject({ dataSourceId: Text, secrets: z.record(z.string(), z.string()).optional() }),
  /** + Fetches the first page alone and shows its first rows; keeps nothing but that it was asked. */
  tryHttp: z.strictObject({ request: WebRequest }),
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
  fetchHttp(args: Inputs['fetchHttp']): Promise<{ dataSourceId: string; name: string }>
  refresh(args: Inputs['refresh']): Promise<{ rows: number; pages: number; isChanged: boolean }>
  tryHttp(args: Inputs['tryHttp']): Promise<Page & { notes: string[] }>
  preview(args: Inputs['preview']): Promise<Page>
  inferSchema(args: Inputs['inferSchema']): Promise<RowSchema>
  profile(args: Inputs['profile']): Promise<TableProfile>
  rename(args: Inputs['rename']): Promise<void>
  remove(args: Inputs['remove']): Promise<void>
}
