import { z } from 'zod'
import { columnDifferences } from '../schema/column-differences.ts'
import { ValueType, type Column } from '../value-type.ts'
import type { ContentOf } from './content.ts'

/** What `stats` of a dataset say of its rows; `version` is the item's version in which they were written. */
export const DatasetStats = z.object({
  rows: z.int().min(0),
  bytes: z.int().min(0),
  version: z.int().min(1),
  /** Of the file. */
  sha256: z.string().min(1),
  columns: z.array(z.object({ name: z.string(), type: ValueType, engineType: z.string() }))
})

/** The file that holds a dataset's rows: pieces of Arrow under a key of the blob store. */
export type DatasetFile = z.infer<typeof DatasetStats> & { readonly location: string }

/** The file of a dataset; undefined where nothing was written under its name yet. */
export const toDatasetFile = ({ location, stats }: ContentOf<'dataset'>['spec']): DatasetFile | undefined => {
  const read = DatasetStats.safeParse(stats)
  return location === undefined || !read.success ? undefined : { ...read.data, location }
}

/** A dataset's content with a new file; its schema stays. */
export const withDatasetFile = (
  { schema }: ContentOf<'dataset'>['spec'],
  { location, ...stats }: DatasetFile
): ContentOf<'dataset'> => ({
  kind: 'dataset',
  spec: { location, format: 'arrow', ...(schema === undefined ? {} : { schema }), stats }
})

/** Why rows cannot be added to those of a dataset, naming the columns; undefined where they can. Order does not count. */
export const appendProblem = (
  name: string,
  there: readonly Column[],
  added: readonly Column[]
): string | undefined => {
  const differences = columnDifferences(there, added)
  return differences.length === 0
    ? undefined
    : `These rows cannot be added to the dataset "${name}": ${differences.join('; ')}. Change the columns with a transform before the sink, or replace the dataset.`
}
