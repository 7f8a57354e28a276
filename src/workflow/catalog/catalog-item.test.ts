import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { catalogAggregate, type CatalogCommand } from './catalog-item.ts'
import { DRAFT_UNDO_LIMIT, type CatalogItem } from './catalog-item-state.ts'
import type { CatalogContent, ContentOf } from './content.ts'
import { withDatasetFile } from './dataset.ts'

const { decide, evolve, initial } = catalogAggregate

const run = (state: CatalogItem, ...commands: CatalogCommand[]): CatalogItem =>
  commands.reduce((current, command) => {
    const decision = decide(current, command)
    if (!decision.ok) throw new Error(`${decision.reason}: ${decision.message}`)
    return decision.events.reduce(evolve, current)
  }, state)
const reason = (state: CatalogItem, command: CatalogCommand): string | undefined => {
  const decision = decide(state, command)
  return decision.ok ? undefined : decision.reason
}

const rules = (when: string): CatalogContent => ({
  kind: 'rule-set',
  spec: { rules: [{ name: 'big', when, set: { size: `'big'` } }] }
})
const create = (content: CatalogContent, references: Record<string, string> = {}): CatalogCommand => ({
  type: 'CreateItem',
  name: 'I',
  content,
  references
})
const edit = (content: CatalogContent): CatalogCommand => ({ type: 'EditItemDraft', content })
const publish: CatalogCommand = { type: 'PublishItemDraft', references: {} }
const created = run(initial, create(rules('a > 1')))

const rows = (version: number): ContentOf<'dataset'> =>
  withDatasetFile(
    {},
    { location: `datasets/${version}`, rows: 1, bytes: 1, version, sha256: 'abc', columns: [] }
  )
const write = (base: number): CatalogCommand => ({
  type: 'WriteDataset',
  name: 'D',
  base,
  content: rows(base + 1),
  references: {}
})

describe('a dataset', () => {
  it('comes into being with its first rows, and is written in versions', () => {
    const written = run(initial, write(0), write(1))
    expect(written).toMatchObject({ kind: 'dataset', name: 'D', latest: 2, draft: null })
    expect(written.versions['1']?.content).toEqual(rows(1))
  })

  it('keeps a draft of its schema, over the rows that are written meanwhile', () => {
    const schema = { name: 'S' }
    const drafted = run(initial, write(0), edit({ kind: 'dataset', spec: { ...rows(1).spec, schema } }))
    const { draft } = run(drafted, write(1))
    expect(draft).toEqual({ kind: 'dataset', spec: { ...rows(2).spec, schema } })
  })

  it('is not written over a version that the writer did not know', () => {
    const written = run(initial, write(0), write(1))
    expect(reason(written, write(1))).toBe('dataset-changed')
    expect(reason(run(written, { type: 'RemoveItem' }), write(2))).toBe('dataset-changed')
    expect(reason(created, write(1))).toBe('dataset-changed')
  })
})

describe('an item of the catalog', () => {
  it('is created with a first version, and keeps a draft beside its versions', () => {
    expect(created).toMatchObject({ status: 'live', kind: 'rule-set', latest: 1, draft: null })
    const drafted = run(created, edit(rules('a > 2')))
    expect(drafted.draft).toEqual(rules('a > 2'))
    expect(drafted.versions['1']?.content).toEqual(rules('a > 1'))
    const published = run(drafted, publish)
    expect(published).toMatchObject({ latest: 2, draft: null })
    expect(published.versions['1']?.content).toEqual(rules('a > 1'))
    expect(published.versions['2']?.content).toEqual(rules('a > 2'))
    expect(reason(published, publish)).toBe('no-draft')
  })

  it('needs no draft of what is published', () => {
    expect(decide(created, edit(rules('a > 1')))).toEqual({ ok: true, events: [] })
    expect(run(created, edit(rules('a > 2')), edit(rules('a > 1'))).draft).toBeNull()
  })

  it('goes back and forth between drafts, to none at all', () => {
    const two = run(created, edit(rules('a > 2')), edit(rules('a > 3')))
    const back = run(two, { type: 'UndoItemEdit' }, { type: 'UndoItemEdit' })
    expect(back.draft).toBeNull()
    expect(reason(back, { type: 'UndoItemEdit' })).toBe('nothing-to-undo')
    expect(run(back, { type: 'RedoItemEdit' }, { type: 'RedoItemEdit' }).draft).toEqual(rules('a > 3'))
    const discarded = run(two, { type: 'DiscardItemDraft' })
    expect(discarded.draft).toBeNull()
    expect(run(discarded, { type: 'UndoItemEdit' }).draft).toEqual(rules('a > 3'))
  })

  it('stays of its kind, and takes no command before it is created and after it is removed', () => {
    expect(reason(created, edit({ kind: 'schema', spec: { jsonSchema: {} } }))).toBe('other-kind')
    expect(reason(initial, publish)).toBe('unknown-item')
    expect(reason(created, create(rules('a > 1')))).toBe('item-exists')
    const removed = run(created, { type: 'RemoveItem' })
    expect(reason(removed, publish)).toBe('item-removed')
    expect(removed.versions['1']?.content).toEqual(rules('a > 1'))
  })

  it.each<[string, CatalogContent]>([
    ['a subquery', rules('a > (SELECT 1)')],
    ['a second statement', rules(`a > 1; DROP TABLE t`)],
    ['an address that is none', { kind: 'endpoint', spec: { baseUrl: 'ftp://x' } }],
    ['a password in an address', { kind: 'endpoint', spec: { baseUrl: 'https://me:pw@example.com' } }],
    [
      'a secret in a header',
      { kind: 'endpoint', spec: { baseUrl: 'https://example.com', headers: { Authorization: 'Bearer x' } } }
    ],
    [
      'a secret in a header that is called otherwise',
      { kind: 'endpoint', spec: { baseUrl: 'https://example.com', headers: { 'X-Auth-Token': 'hunter2' } } }
    ],
    ['a schema of a list', { kind: 'schema', spec: { jsonSchema: { type: 'array' } } }],
    [
      'a parameter that the operator has not',
      { kind: 'operator', spec: { kind: 'enricher', parameters: [], columns: { x: '$y + 1' } } }
    ]
  ])('is not published with %s', (_, content) => {
    expect(reason(initial, create(content))).toBe('invalid-item')
  })

  it('may hold a header that takes its secret from a column', () => {
    const template: CatalogContent = {
      kind: 'request-template',
      spec: { endpoint: 'People', method: 'GET', path: '/', headers: { 'X-Auth-Token': '{{token}}' } }
    }
    expect(decide(initial, create(template, { endpoint: 'catalog:e' })).ok).toBe(true)
  })

  it('is not published while an item that it names is unknown', () => {
    const template: CatalogContent = {
      kind: 'request-template',
      spec: { endpoint: 'People', method: 'GET', path: '/{{id}}' }
    }
    expect(reason(initial, create(template))).toBe('unknown-reference')
    const item = run(initial, create(template, { endpoint: 'catalog:e' }))
    expect(item.versions['1']?.content).toEqual(template)
  })

  const command: fc.Arbitrary<CatalogCommand> = fc.oneof(
    { weight: 6, arbitrary: fc.nat(3).map((n) => edit(rules(`a > ${n}`))) },
    {
      weight: 6,
      arbitrary: fc.constantFrom<CatalogCommand>(
        { type: 'UndoItemEdit' },
        { type: 'RedoItemEdit' },
        { type: 'DiscardItemDraft' },
        publish
      )
    },
    { weight: 1, arbitrary: fc.constant<CatalogCommand>({ type: 'RenameItem', name: 'J' }) },
    { weight: 1, arbitrary: fc.constant<CatalogCommand>({ type: 'RemoveItem' }) }
  )

  it('whatever happens: versions never change, undo takes back, the state is plain JSON', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        let state = created
        for (const each of commands) {
          const before = state
          const decision = decide(state, each)
          if (!decision.ok) continue
          state = decision.events.reduce(evolve, state)
          expect(state.versions).toMatchObject(before.versions)
          expect(Object.keys(state.versions)).toHaveLength(state.latest)
          expect(state.undo.length).toBeLessThanOrEqual(DRAFT_UNDO_LIMIT)
          expect(JSON.parse(JSON.stringify(state))).toEqual(state)
          if (each.type === 'EditItemDraft' && decision.events.length > 0) {
            const undone = run(state, { type: 'UndoItemEdit' })
            expect(undone.draft).toEqual(before.draft)
            expect(run(undone, { type: 'RedoItemEdit' }).draft).toEqual(state.draft)
          }
        }
      })
    )
  })
})
