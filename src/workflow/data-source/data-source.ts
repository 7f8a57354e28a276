import { accept, refuse, type Aggregate, type Decision } from '../aggregate.ts'
import { dataSourceEvents, type DataSourceEvent } from './events.ts'

type Imported = Extract<DataSourceEvent, { type: 'DataSourceImported' }>['payload']

export type DataSource = {
  readonly status: 'none' | 'live' | 'removed'
  readonly name: string
  readonly imported: Imported | null
}

export type DataSourceCommand =
  | ({ readonly type: 'ImportDataSource' } & Imported)
  | { readonly type: 'RenameDataSource'; readonly name: string }
  | { readonly type: 'RemoveDataSource' }

const NO_DATA_SOURCE: DataSource = { status: 'none', name: '', imported: null }

/** What an event makes of a data source. */
export const evolveDataSource = (state: DataSource, event: DataSourceEvent): DataSource => {
  switch (event.type) {
    case 'DataSourceImported':
      return { status: 'live', name: event.payload.name, imported: event.payload }
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
  if (command.type === 'ImportDataSource') {
    const { type: _, ...payload } = command
    if (state.status !== 'none') {
      return refuse('data-source-exists', 'There is already a data source with this id.')
    }
    return accept({ type: 'DataSourceImported', payload })
  }
  if (state.status === 'none') return refuse('unknown-data-source', 'There is no such data source.')
  if (state.status === 'removed') {
    return refuse('data-source-removed', `The data source "${state.name}" was removed.`)
  }
  switch (command.type) {
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
  stateVersion: 1,
  events: dataSourceEvents,
  initial: NO_DATA_SOURCE,
  evolve: evolveDataSource,
  decide: decideDataSource
}
