import { accept, refuse, type Aggregate, type Decision, type Refusal } from '../aggregate.ts'
import { contentProblems } from './content-check.ts'
import { KIND_NAMES, toContentText, type CatalogContent, type ContentOf } from './content.ts'
import { DRAFT_UNDO_LIMIT, NO_CATALOG_ITEM, type CatalogItem } from './catalog-item-state.ts'
import { catalogEvents, type CatalogEvent } from './events.ts'
import { contentReferences } from './references.ts'

/** Ids of the rows that a content's names stand for, by slot; found by whoever gives the command. */
export type ReferenceIds = Readonly<Record<string, string>>

export type CatalogCommand =
  /** The content becomes version 1. */
  | {
      readonly type: 'CreateItem'
      readonly name: string
      readonly description?: string | undefined
      readonly content: CatalogContent
      readonly references: ReferenceIds
    }
  | { readonly type: 'EditItemDraft'; readonly content: CatalogContent }
  | { readonly type: 'UndoItemEdit' }
  | { readonly type: 'RedoItemEdit' }
  | { readonly type: 'DiscardItemDraft' }
  | { readonly type: 'PublishItemDraft'; readonly references: ReferenceIds }
  | { readonly type: 'RenameItem'; readonly name: string }
  | { readonly type: 'DescribeItem'; readonly description: string }
  | { readonly type: 'RemoveItem' }
  /**
   * A run wrote rows under the dataset's name: its newest version is `base` + 1, where nobody has published another one
   * in between; the item comes into being where `base` is 0.
   */
  | {
      readonly type: 'WriteDataset'
      readonly name: string
      readonly base: number
      readonly content: ContentOf<'dataset'>
      readonly references: ReferenceIds
    }

type Draft = CatalogItem['draft']
const push = (stack: readonly Draft[], draft: Draft): readonly Draft[] =>
  [...stack, draft].slice(-DRAFT_UNDO_LIMIT)

const editDraft = (
  state: CatalogItem,
  { by, draft }: Extract<CatalogEvent, { type: 'CatalogItemDraftEdited' }>['payload']
): CatalogItem => {
  switch (by) {
    case 'edit':
    case 'discard':
      return { ...state, draft, undo: push(state.undo, state.draft), redo: [] }
    case 'undo':
      return { ...state, draft, undo: state.undo.slice(0, -1), redo: push(state.redo, state.draft) }
    case 'redo':
      return { ...state, draft, undo: push(state.undo, state.draft), redo: state.redo.slice(0, -1) }
  }
}

/** What an event makes of an item of the catalog. */
export const evolveCatalogItem = (state: CatalogItem, event: CatalogEvent): CatalogItem => {
  switch (event.type) {
    case 'CatalogItemCreated': {
      const { kind, name, description = null } = event.payload
      return { ...NO_CATALOG_ITEM, status: 'live', kind, name, description }
    }
    case 'CatalogItemVersionPublished': {
      const { version, content } = event.payload
      return {
        ...state,
        versions: { ...state.versions, [version]: { version, content } },
        latest: Math.max(state.latest, version),
        draft: null,
        undo: [],
        redo: []
      }
    }
    case 'CatalogItemDraftEdited':
      return editDraft(state, event.payload)
    case 'CatalogItemRenamed':
      return { ...state, name: event.payload.name }
    case 'CatalogItemDescribed':
      return { ...state, description: event.payload.description }
    // Its versions stay in the state: a run that used one can be told of when the item is gone.
    case 'CatalogItemRemoved':
      return { ...state, status: 'removed', draft: null, undo: [], redo: [] }
  }
}

/** A content made a version, or why it cannot be one. */
const publish = (
  name: string,
  version: number,
  content: CatalogContent,
  references: ReferenceIds
): Decision<CatalogEvent> => {
  const problems = contentProblems(content)
  const [first] = problems
  if (first !== undefined) {
    const others = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`
    const message = `The ${KIND_NAMES[content.kind]} "${name}" cannot be published: ${first.message}${others}`
    return refuse('invalid-item', message, { problems })
  }
  const missing = contentReferences(content).find(({ slot }) => !Object.hasOwn(references, slot))
  if (missing !== undefined) {
    const message = `There is no ${KIND_NAMES[missing.kind]} "${missing.name}" in the catalog. Create it first, or choose another.`
    return refuse('unknown-reference', message, { path: missing.path })
  }
  return accept({
    type: 'CatalogItemVersionPublished',
    payload: { name, version, content, references: { ...references } }
  })
}

const create = (
  state: CatalogItem,
  { name, description, content, references }: Extract<CatalogCommand, { type: 'CreateItem' }>
): Decision<CatalogEvent> => {
  if (state.status !== 'none') {
    return refuse('item-exists', 'There is already an item of the catalog with this id.')
  }
  const published = publish(name, 1, content, references)
  if (!published.ok) return published
  const payload = { kind: content.kind, name, ...(description === undefined ? {} : { description }) }
  return accept({ type: 'CatalogItemCreated', payload }, ...published.events)
}

/** A new version of a dataset. A draft stays one, over the rows that are there now. */
const writeDataset = (
  state: CatalogItem,
  command: Extract<CatalogCommand, { type: 'WriteDataset' }>
): Decision<CatalogEvent> => {
  const { name, base, content, references } = command
  if (state.status === 'none' && base === 0) {
    return create(state, { type: 'CreateItem', name, content, references })
  }
  if (state.status !== 'live' || state.kind !== 'dataset' || state.latest !== base) {
    const message = `The dataset "${name}" was changed while this was written. Nothing was written to it: run it again.`
    return refuse('dataset-changed', message)
  }
  const published = publish(state.name, base + 1, content, references)
  const { draft } = state
  if (!published.ok || draft?.kind !== 'dataset') return published
  const { schema } = draft.spec
  const { schema: _, ...rows } = content.spec
  const rebased: CatalogContent = {
    kind: 'dataset',
    spec: schema === undefined ? rows : { ...rows, schema }
  }
  return accept(...published.events, {
    type: 'CatalogItemDraftEdited',
    payload: { by: 'edit', draft: rebased }
  })
}

const missing = (state: CatalogItem): Refusal =>
  state.status === 'removed'
    ? refuse('item-removed', `The ${KIND_NAMES[state.kind ?? 'dataset']} "${state.name}" was removed.`)
    : refuse('unknown-item', 'There is no such item in the catalog.')

const toDraft = (
  state: CatalogItem,
  by: 'edit' | 'undo' | 'redo' | 'discard',
  draft: Draft
): Decision<CatalogEvent> =>
  JSON.stringify(draft) === JSON.stringify(state.draft) && (by === 'edit' || by === 'discard')
    ? accept()
    : accept({ type: 'CatalogItemDraftEdited', payload: { by, draft } })

const edit = (state: CatalogItem, content: CatalogContent): Decision<CatalogEvent> => {
  if (content.kind !== state.kind) {
    const message = `"${state.name}" is a ${KIND_NAMES[state.kind ?? 'dataset']} and stays one.`
    return refuse('other-kind', message)
  }
  const published = state.versions[state.latest]?.content
  // What is published already needs no draft.
  const isPublished = published !== undefined && toContentText(published) === toContentText(content)
  return toDraft(state, 'edit', isPublished ? null : content)
}

const stepBack = (state: CatalogItem, by: 'undo' | 'redo'): Decision<CatalogEvent> => {
  const draft = state[by].at(-1)
  return draft === undefined
    ? refuse(`nothing-to-${by}`, `There is nothing to ${by}.`)
    : toDraft(state, by, draft)
}

/**
 * Decides what a command means for an item; appends nothing itself. Whether a name is free, and whether anything still
 * uses the item, the catalog knows.
 */
export const decideCatalogItem = (state: CatalogItem, command: CatalogCommand): Decision<CatalogEvent> => {
  if (command.type === 'CreateItem') return create(state, command)
  if (command.type === 'WriteDataset') return writeDataset(state, command)
  const { kind } = state
  if (state.status !== 'live' || kind === null) return missing(state)
  const versions = Object.keys(state.versions).map(Number)
  switch (command.type) {
    case 'EditItemDraft':
      return edit(state, command.content)
    case 'UndoItemEdit':
      return stepBack(state, 'undo')
    case 'RedoItemEdit':
      return stepBack(state, 'redo')
    case 'DiscardItemDraft':
      return toDraft(state, 'discard', null)
    case 'PublishItemDraft':
      return state.draft === null
        ? refuse('no-draft', `"${state.name}" has no draft; edit it to start one.`)
        : publish(state.name, state.latest + 1, state.draft, command.references)
    case 'RenameItem':
      return command.name === state.name
        ? accept()
        : accept({ type: 'CatalogItemRenamed', payload: { kind, name: command.name, versions } })
    case 'DescribeItem':
      return command.description === (state.description ?? '')
        ? accept()
        : accept({ type: 'CatalogItemDescribed', payload: { description: command.description } })
    case 'RemoveItem':
      return accept({ type: 'CatalogItemRemoved', payload: { kind, versions } })
  }
}

export const catalogAggregate: Aggregate<CatalogItem, CatalogCommand, CatalogEvent> = {
  type: 'catalog',
  stateVersion: 1,
  events: catalogEvents,
  initial: NO_CATALOG_ITEM,
  evolve: evolveCatalogItem,
  decide: decideCatalogItem
}
