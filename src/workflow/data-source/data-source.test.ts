import { describe, expect, it } from 'vitest'
import { dataSourceAggregate, type DataSource, type DataSourceCommand } from './data-source.ts'
import { WebRequest } from './web-request.ts'

const { decide, evolve, initial } = dataSourceAggregate
const run = (state: DataSource, command: DataSourceCommand): DataSource => {
  const decision = decide(state, command)
  if (!decision.ok) throw new Error(decision.reason)
  return decision.events.reduce(evolve, state)
}
const importing = {
  type: 'ImportDataSource',
  name: 'a.csv',
  kind: 'csv',
  fileName: 'a.csv',
  mediaType: 'text/csv',
  size: 3,
  sha256: 'abc',
  blobKey: 'sources/abc',
  prepared: { reader: { type: 'arrow' }, blobKey: 'sources/abc.arrow', columns: [], rows: 0, notes: [] }
} satisfies DataSourceCommand

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

  it('from the web is fetched anew; a file is not', () => {
    const { name, kind: _, fileName, mediaType, size, sha256, blobKey, prepared } = importing
    const request = WebRequest.parse({ url: 'https://example.org/orders', format: 'json' })
    const content = { fileName, mediaType, size, sha256, blobKey, pages: 1, prepared }
    const added = run(initial, { type: 'AddWebSource', name, request, content })
    const newer = { ...content, sha256: 'def', pages: 2 }
    const refresh: DataSourceCommand = { type: 'RefreshWebSource', request, content: newer }
    expect(run(added, refresh).web).toEqual({ request, content: newer })
    expect(decide(run(initial, importing), refresh)).toMatchObject({ reason: 'not-from-the-web' })
    expect(decide(initial, refresh)).toMatchObject({ reason: 'unknown-data-source' })
  })

  it('typed by hand is edited, unless somebody else did so since', () => {
    const { fileName, mediaType, size, sha256, blobKey, prepared } = importing
    const content = { fileName, mediaType, size, sha256, blobKey, prepared }
    const newer = { ...content, sha256: 'def' }
    const created = run(initial, { type: 'CreateManualSource', name: 'Rates', content })
    const edit = (expectedSha256?: string): DataSourceCommand => ({
      type: 'EditManualSource',
      content: newer,
      expectedSha256
    })
    expect(run(created, edit('abc')).manual).toEqual(newer)
    expect(run(created, edit()).manual).toEqual(newer)
    expect(decide(created, edit('xyz'))).toMatchObject({ reason: 'newer-rows-exists' })
    expect(decide(run(created, edit()), edit('abc'))).toEqual({ ok: true, events: [] })
    expect(decide(run(initial, importing), edit())).toMatchObject({ reason: 'not-typed-by-hand' })
    expect(decide(created, { type: 'CreateManualSource', name: 'Rates', content })).toMatchObject({
      reason: 'data-source-exists'
    })
  })
})
