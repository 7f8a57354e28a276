import { accept, refuse, type Aggregate, type Decision } from '../aggregate.ts'
import { dataSourceEvents, type DataSourceEvent, type ManualContent } from './events.ts'

type Fetched = Extract<DataSourceEvent, { type: 'WebSourceRefreshed' }>['payload']
type Imported = Extract<DataSourceEvent, { type: 'DataSourceImported' }>['payload']

export type DataSource = {
  readonly status: 'none' | 'live' | 'removed'
  readonly name: string
  readonly imported: Imported | null
  /** What is asked for, and what came of it last; null for a file. */
  readonly web: Fetched | null
  /** Rows typed by hand, as they were last saved; null for all else. */
  readonly manual: ManualContent | null
}

export type DataSourceCommand =
  | ({ readonly type: 'ImportDataSource' } & Imported)
  | ({ readonly type: 'AddWebSource'; readonly name: string } & Fetched)
  | ({ readonly type: 'RefreshWebSource' } & Fetched)
  | { readonly type: 'CreateManualSource'; readonly name: string; readonly content: ManualContent }
  /** `expectedSha256`: the content that the person began to edit. */
  | {
      readonly type: 'EditManualSource'
      readonly content: ManualContent
      readonly expectedSha256?: string | undefined
    }
  | { readonly type: 'RenameDataSource'; readonly name: string }
  | { readonly type: 'RemoveDataSource' }

const NO_DATA_SOURCE: DataSource = { status: 'none', name: '', imported: null, web: null, manual: null }

/** What an event makes of a data source. */
export const evolveDataSource = (state: DataSource, event: DataSourceEvent): DataSource => {
  switch (event.type) {
    case 'DataSourceImported':
      return { status: 'live', name: event.payload.name, imported: event.payload, web: null, manual: null }
    case 'WebSourceAdded': {
      const { name, ...web } = event.payload
      return { status: 'live', name, imported: null, web, manual: null }
    }
    case 'WebSourceRefreshed':
      return { ...state, web: event.payload }
    case 'ManualSourceCreated': {
      const { name, content } = event.payload
      return { status: 'live', name, imported: null, web: null, manual: content }
    }
    case 'ManualSourceEdited':
      return { ...state, manual: event.payload.content }
    case 'DataSourceRenamed':
      return { ...state, name: event.payload.name }
    case 'DataSourceRemoved':
      return { ...state, status: 'removed' }
  }
}

const editManual = (
  { manual, name }: DataSource,
  { content, expectedSha256 }: Extract<DataSourceCommand, { type: 'EditManualSource' }>
): Decision<DataSourceEvent> => {
  if (manual === null) {
    const message = `The rows of "${name}" were not typed by hand: they cannot be edited here.`
    return refuse('not-typed-by-hand', message)
  }
  if (content.sha256 === manual.sha256) return accept()
  if (expectedSha256 !== undefined && expectedSha256 !== manual.sha256) {
    const message = `"${name}" was edited elsewhere since it was opened here. Copy what you changed, and open it anew.`
    return refuse('newer-rows-exists', message)
  }
  return accept({ type: 'ManualSourceEdited', payload: { content } })
}

/** What brings a data source about. */
type Beginning = Extract<
  DataSourceCommand,
  { type: 'ImportDataSource' | 'AddWebSource' | 'CreateManualSource' }
>
const isBeginning = (command: DataSourceCommand): command is Beginning =>
  command.type === 'ImportDataSource' ||
  command.type === 'AddWebSource' ||
  command.type === 'CreateManualSource'

const begin = (command: Beginning): DataSourceEvent => {
  switch (command.type) {
    case 'AddWebSource': {
      const { type: _, ...payload } = command
      return { type: 'WebSourceAdded', payload }
    }
    case 'CreateManualSource': {
      const { type: _, ...payload } = command
      return { type: 'ManualSourceCreated', payload }
    }
    case 'ImportDataSource': {
      const { type: _, ...payload } = command
      return { type: 'DataSourceImported', payload }
    }
  }
}

/** Decides what a command means for a data source; appends nothing itself. Whether a name is free, the catalog knows. */
export const decideDataSource = (
  state: DataSource,
  command: DataSourceCommand
): Decision<DataSourceEvent> => {
  if (isBeginning(command)) {
    return state.status === 'none'
      ? accept(begin(command))
      : refuse('data-source-exists', 'There is already a data source with this id.')
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
    case 'EditManualSource':
      return editManual(state, command)
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
  stateVersion: 3,
  events: dataSourceEvents,
  initial: NO_DATA_SOURCE,
  evolve: evolveDataSource,
  decide: decideDataSource
}
