import { describe, expect, it } from 'vitest'
import { dataSourceAggregate, type DataSource, type DataSourceCommand } from './data-source.ts'

const { decide, evolve, initial } = dataSourceAggregate
const run = (state: DataSource, command: DataSourceCommand): DataSource => {
  const decision = decide(state, command)
  if (!decision.ok) throw new Error(decision.reason)
  return decision.events.reduce(evolve, state)
}
const importing: DataSourceCommand = {
  type: 'ImportDataSource',
  name: 'a.csv',
  kind: 'csv',
  fileName: 'a.csv',
  mediaType: 'text/csv',
  size: 3,
  sha256: 'abc',
  blobKey: 'sources/abc',
  prepared: { reader: { type: 'arrow' }, blobKey: 'sources/abc.arrow', columns: [], rows: 0, notes: [] }
}

describe('a data source', () => {
  it('is imported, renamed and removed', () => {
    const imported = run(initial, importing)
    const renamed = run(imported, { type: 'RenameDataSource', name: 'b.csv' })
    expect([imported.name, renamed.name]).toEqual(['a.csv', 'b.csv'])
    expect(decide(renamed, { type: 'RenameDataSource', name: 'b.csv' })).toEqual({ ok: true, events: [] })
    const removed = run(renamed, { type: 'RemoveDataSource' })
    expect(removed.status).toBe('removed')
    expect(decide(removed, { type: 'RemoveDataSource' })).toMatchObject({ reason: 'data-source-removed' })
  })

  it('takes no command before it is imported, and is not imported twice', () => {
    expect(decide(initial, { type: 'RemoveDataSource' })).toMatchObject({ reason: 'unknown-data-source' })
    expect(decide(run(initial, importing), importing)).toMatchObject({ reason: 'data-source-exists' })
  })
})
