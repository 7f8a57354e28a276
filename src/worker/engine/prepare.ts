import type { BlobStorePort, ReadSqliteFile } from '../../db/ports.ts'
import type { ComputeEngine } from './compute-engine.ts'
import { prepareColumnar } from './prepare-columnar.ts'
import { prepareCsv } from './prepare-csv.ts'
import { prepareDatabase } from './prepare-database.ts'
import { prepareExcel } from './prepare-excel.ts'
import { prepareJson } from './prepare-json.ts'
import { prepareManual } from './prepare-manual.ts'
import { parseSourceOptions } from './source-options.ts'
import type { Sessions } from './sessions.ts'
import type { SourceTables } from './source-tables.ts'

type Parts = {
  readonly sessions: Sessions
  readonly tables: SourceTables
  readonly blobStore: BlobStorePort
  readonly readSqliteFile: ReadSqliteFile
}

export const prepareSource =
  ({ sessions, tables, blobStore, readSqliteFile }: Parts): ComputeEngine['prepare'] =>
  ({ blobKey, fileName, kind, options, signal }) => {
    const file = { blobKey, fileName, options: parseSourceOptions(options) }
    return sessions.work({ signal }, async (place) => {
      switch (kind) {
        case 'csv':
          return prepareCsv(place, { blobStore, tables }, file)
        case 'json':
          return prepareJson(place, { blobStore, tables }, file)
        case 'excel':
          return prepareExcel(place, { blobStore, tables }, file)
        case 'manual':
          return prepareManual(place, { blobStore, tables }, file)
        case 'parquet':
          return prepareColumnar(place, { blobStore, tables }, file, 'read-parquet')
        case 'db':
          return prepareDatabase(place, { blobStore, tables, readSqliteFile }, file)
        case 'file':
          return prepareColumnar(place, { blobStore, tables }, file, 'read-arrow')
      }
    })
  }
