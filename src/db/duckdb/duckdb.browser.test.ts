import { afterAll } from 'vitest'
import { describeBlobStore } from '../contract/blob-store-contract.ts'
import { describeEventStore } from '../contract/event-store-contract.ts'
import { startDuckDBWorker } from '../contract/opfs-client.ts'
import { describeProjectionStore } from '../contract/projection-store-contract.ts'

const shared = startDuckDBWorker()
afterAll(() => shared.end())
const open = () => shared.open('')

describeEventStore('DuckDB in a worker', open)
describeProjectionStore('DuckDB in a worker', open, [
  'SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY ALL'
])
describeBlobStore('DuckDB in a worker', open)
