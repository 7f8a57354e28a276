import { accept, refuse, type Aggregate, type Decision } from '../aggregate.ts'
import { dataSourceEvents, type DataSourceEvent } from './events.ts'

type Fetched = Extract<DataSourceEvent, { type: 'WebSourceRefreshed' }>['payload']
type Imported = Extract<DataSourceEvent, { type: 'DataSourceImported' }>['payload']

export type DataSource = {
  readonly status: 'none' | 'live' | 'removed'
  readonly name: string
  readonly imported: Imported | null
  /** What is asked for, and what came of it last; null for a file. */
  readonly web: Fetched | null
}

export type DataSourceCommand =
  | ({ readonly type: 'ImportDataSource' } & Imported)
  | ({ readonly type: 'AddWebSource'; readonly name: string } & Fetched)
  | ({ readonly type: 'RefreshWebSource' } & Fetched)
  | { readonly type: 'RenameDataSource'; readonly name: string }
  | { readonly type: 'RemoveDataSource' }

const NO_DATA_SOURCE: DataSource = { status: 'none', name: '', imported: null, web: null }

/** What an event makes of a data source. */
export const evolveDataSource = (state: DataSource, event: DataSourceEvent): DataSource => {
  switch (event.type) {
    case 'DataSourceImported':
      return { status: 'live', name: event.payload.name, imported: event.payload, web: null }
    case 'WebSourceAdded': {
      const { name, ...web } = event.payload
      return { status: 'live', name, imported: null, web }
    }
    case 'WebSourceRefreshed':
      return { ...state, web: event.payload }
    case 'DataSourceRenamed':
      return { ...state, name: event.payload.name }
    case 'DataSourceRemoved':
      return { ...state, status: 'removed' }
  }
}

/** Decides what a command means for a data source; appends nothing itself. Whether a name is free, the catalog knows. */
export const decideDataSource = (
  state: DataSource,
  command: DataSourceCommand
): Decision<DataSourceEvent> => {
  if (command.type === 'ImportDataSource' || command.type === 'AddWebSource') {
    if (state.status !== 'none') {
      return refuse('data-source-exists', 'There is already a data source with this id.')
    }
    if (command.type === 'AddWebSource') {
      const { type: _, ...payload } = command
      return accept({ type: 'WebSourceAdded', payload })
    }
    const { type: _, ...payload } = command
    return accept({ type: 'DataSourceImported', payload })
  }
  if (state.status === 'none') return refuse('unknown-data-source', 'There is no such data source.')
  if (state.status === 'removed') {
    return refuse('data-source-removed', `The data source "${state.name}" was removed.`)
  }
  switch (command.type) {
    case 'RefreshWebSource': {
      const { type: _, ...payload } = command
      return state.web === null
        ? refuse('not-from-the-web', `"${state.name}" is a file: there is nowhere to fetch it from.`)
        : accept({ type: 'WebSourceRefreshed', payload })
    }
    case 'RenameDataSource':
      return command.name === state.name
        ? accept()
        : accept({ type: 'DataSourceRenamed', payload: { name: command.name } })
    case 'RemoveDataSource':
      return accept({ type: 'DataSourceRemoved', payload: {} })
  }
}

export const dataSourceAggregate: Aggregate<DataSource, DataSourceCommand, DataSourceEvent> = {
  type: 'datasource',
  stateVersion: 2,
  events: dataSourceEvents,
  initial: NO_DATA_SOURCE,
  evolve: evolveDataSource,
  decide: decideDataSource
}
