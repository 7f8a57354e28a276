import type { Projection, RecordedEvent, RowChange } from '../aggregate.ts'
import { dataSourceEvents, type DataSourceEvent } from '../data-source/events.ts'
import { readDataSourceEvents } from './narrow.ts'

const read = (event: RecordedEvent<DataSourceEvent>): readonly RowChange[] => {
  const where = { id: event.aggregateId }
  switch (event.type) {
    case 'DataSourceImported': {
      const { name, kind, ...config } = event.payload
      const row = {
        ...where,
        name,
        kind,
        config_json: JSON.stringify(config),
        schema_id: null,
        created_at: event.createdAt
      }
      return [{ op: 'upsert', table: 'data_sources', rows: [row] }]
    }
    case 'DataSourceRenamed':
      return [{ op: 'update', table: 'data_sources', where, set: { name: event.payload.name } }]
    case 'DataSourceRemoved':
      return [{ op: 'remove', table: 'data_sources', where }]
  }
}

/** Data sources; `config_json` is the rest of what their import recorded: file, SHA-256, how it was prepared. */
export const dataSourcesProjection: Projection = {
  name: 'data-sources',
  version: 1,
  mode: 'inline',
  tables: ['data_sources'],
  hears: Object.keys(dataSourceEvents),
  project: readDataSourceEvents(read)
}
