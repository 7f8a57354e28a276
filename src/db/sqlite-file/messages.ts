import type { WireError } from '../flowforge-error.ts'
import type { FileValue } from '../sqlite-file-port.ts'

export type OpenFile = {
  readonly file: Blob
  readonly table: string | undefined
  readonly query: string | undefined
}

export type FileAnswer =
  | {
      readonly type: 'opened'
      readonly columns: readonly string[]
      readonly tables: readonly string[]
      readonly table: string | null
    }
  | { readonly type: 'rows'; readonly rows: readonly (readonly FileValue[])[] }
  | { readonly type: 'failed'; readonly error: WireError }
