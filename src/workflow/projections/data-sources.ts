import type { Projection, RecordedEvent, RowChange } from '../aggregate.ts'
import { dataSourceEvents, type DataSourceEvent, type WebContent } from '../data-source/events.ts'
import type { WebRequest } from '../data-source/web-request.ts'
import { readDataSourceEvents } from './narrow.ts'

/** As an imported file's, and beside it where it came from. */
const webConfig = (
  { request, content: { pages, ...file } }: { request: WebRequest; content: WebContent },
  fetchedAt: string
): string => JSON.stringify({ ...file, web: { request, pages, fetchedAt } })

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
    case 'WebSourceAdded': {
      const { name, ...web } = event.payload
      const row = { ...where, name, kind: 'http', schema_id: null, created_at: event.createdAt }
      return [
        {
          op: 'upsert',
          table: 'data_sources',
          rows: [{ ...row, config_json: webConfig(web, event.createdAt) }]
        }
      ]
    }
    case 'WebSourceRefreshed': {
      const config_json = webConfig(event.payload, event.createdAt)
      return [{ op: 'update', table: 'data_sources', where, set: { config_json } }]
    }
    case 'ManualSourceCreated': {
      const { name, content } = event.payload
      const row = {
        ...where,
        name,
        kind: 'manual',
        config_json: JSON.stringify(content),
        schema_id: null,
        created_at: event.createdAt
      }
      return [{ op: 'upsert', table: 'data_sources', rows: [row] }]
    }
    case 'ManualSourceEdited': {
      const config_json = JSON.stringify(event.payload.content)
      return [{ op: 'update', table: 'data_sources', where, set: { config_json } }]
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
