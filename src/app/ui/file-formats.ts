import type { SinkFormat } from '../../workflow/nodes/sink.ts'

/** Formats that results are written and saved in, in the order in which they are offered. */
export const FILE_FORMATS: readonly { readonly format: SinkFormat; readonly label: string }[] = [
  { format: 'csv', label: 'CSV' },
  { format: 'xlsx', label: 'Excel' },
  { format: 'json', label: 'JSON' },
  { format: 'ndjson', label: 'NDJSON, a row a line' },
  { format: 'parquet', label: 'Parquet' },
  { format: 'arrow', label: 'Arrow' }
]

const ENDING = new RegExp(`\\.(${FILE_FORMATS.map(({ format }) => format).join('|')})$`)

/** The format that a file's name ends in. */
export const formatOf = (fileName: string): string | undefined => ENDING.exec(fileName)?.[1]
export const withoutEnding = (fileName: string): string => fileName.replace(ENDING, '')
