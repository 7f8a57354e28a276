import type { z } from 'zod'
import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { catalogAggregate, type CatalogCommand } from '../workflow/catalog/catalog-item.ts'
import type { CatalogItem } from '../workflow/catalog/catalog-item-state.ts'
import { CatalogContent, KIND_NAMES, type CatalogKind } from '../workflow/catalog/content.ts'
import type { AggregateStore, Loaded } from './aggregate-store.ts'
import { flowForgeInputs, type CatalogItemView, type FlowForgeApi, type WhatIf } from './api.ts'
import { parseInput } from './boundary.ts'
import { readIndex, type IndexedItem } from './catalog-items/item-index.ts'
import { findUses, refuseWhileUsed } from './catalog-items/item-uses.ts'
import { hashContent } from './catalog-items/item-versions.ts'
import { referencesOf } from './catalog-items/reference-ids.ts'
import { expectNoDataSource } from './datasets.ts'
import { handler } from './handler.ts'
import type { World } from './world.ts'

const inputs = flowForgeInputs.catalog
const FIRST_VERSION = 1

type Parts = {
  context: DbContext
  aggregates: AggregateStore
  world: World
  whatIf: (args: z.output<typeof inputs.whatIf>) => Promise<WhatIf>
}

/** @throws FlowForgeError `NOT_FOUND` */
const expectLive = (itemId: string, { status, kind, name }: CatalogItem): CatalogKind => {
  if (status === 'live' && kind !== null) return kind
  const message =
    status === 'removed' ? `"${name}" was removed from the catalog.` : 'There is no such item in the catalog.'
  throw new FlowForgeError('NOT_FOUND', message, { itemId })
}

/** @throws FlowForgeError `CONFLICT` */
const expectFree = async (tx: DbContext, kind: CatalogKind, name: string, itemId: string): Promise<void> => {
  if (kind === 'dataset') await expectNoDataSource(tx, name)
  const [taken] = await readIndex(tx, { kind, name })
  if (taken === undefined || taken.itemId === itemId) return
  const message = `There is already a ${KIND_NAMES[kind]} named "${name}". Choose another name, or edit that one.`
  throw new FlowForgeError('CONFLICT', message, { kind, name, itemId: taken.itemId })
}

export const createCatalogHandlers = (parts: Parts): FlowForgeApi['catalog'] => {
  const { context, aggregates, world, whatIf } = parts

  /** When each version was published stands in the log alone. */
  const publishedAt = async (itemId: string): Promise<ReadonlyMap<number, string>> => {
    const rows = await context.projectionStore.query({
      sql: `SELECT payload_json ->> '$.version' AS version, created_at FROM events
            WHERE aggregate_type = 'catalog' AND aggregate_id = ? AND event_type = 'CatalogItemVersionPublished'`,
      params: [itemId]
    })
    return new Map(rows.map((row) => [Number(row['version']), String(row['created_at'])]))
  }

  const toView = async (
    itemId: string,
    { state, seq, savedAt }: Loaded<CatalogItem>
  ): Promise<CatalogItemView> => {
    const kind = expectLive(itemId, state)
    const times = await publishedAt(itemId)
    return {
      itemId,
      kind,
      name: state.name,
      description: state.description,
      versions: await Promise.all(
        Object.values(state.versions).map(async ({ version, content }) => ({
          version,
          content,
          sha256: await hashContent(content),
          publishedAt: times.get(version) ?? ''
        }))
      ),
      draft: state.draft,
      canUndo: state.undo.length > 0,
      canRedo: state.redo.length > 0,
      seq,
      savedAt: savedAt ?? ''
    }
  }

  const view = async (itemId: string): Promise<CatalogItemView> =>
    toView(itemId, await aggregates.load(catalogAggregate, itemId))

  const execute = async (
    itemId: string,
    command: CatalogCommand,
    callId: string | undefined
  ): Promise<CatalogItemView> =>
    toView(itemId, await aggregates.once(callId).execute(catalogAggregate, itemId, command))

  const itemOf = async (store: AggregateStore, itemId: string): Promise<IndexedItem> => {
    const { state } = await store.load(catalogAggregate, itemId)
    return { itemId, kind: expectLive(itemId, state), name: state.name }
  }

  /** Looks at what else there is and acts in one transaction, so that nothing comes between; sent again, acts once. */
  const acting = <T>(
    callId: string | undefined,
    act: (tx: DbContext, store: AggregateStore, command: Pick<AggregateStore, 'execute'>) => Promise<T>,
    again: (store: AggregateStore) => Promise<T>
  ): Promise<T> =>
    context.tx.runInTransaction(async (tx) => {
      const store = aggregates.within(tx)
      const command = store.once(callId)
      return (await command.wasCarriedOut()) ? again(store) : act(tx, store, command)
    })

  const create = (
    { name, description, content }: z.output<typeof inputs.create>,
    callId: string | undefined
  ): Promise<{ itemId: string; version: number }> => {
    const itemId = `catalog:${callId ?? world.newId()}`
    return acting(
      callId,
      async (tx, store, command) => {
        await expectFree(tx, content.kind, name, itemId)
        const references = await referencesOf(tx, store, content)
        const { state } = await command.execute(catalogAggregate, itemId, {
          type: 'CreateItem',
          name,
          description,
          content,
          references
        })
        return { itemId, version: state.latest }
      },
      async () => ({ itemId, version: FIRST_VERSION })
    )
  }

  const edit = async (
    { itemId, spec }: z.output<typeof inputs.edit>,
    callId: string | undefined
  ): Promise<CatalogItemView> => {
    const { kind } = await itemOf(aggregates, itemId)
    const content = parseInput('catalog.edit', CatalogContent, { kind, spec })
    return execute(itemId, { type: 'EditItemDraft', content }, callId)
  }

  const publish = ({ itemId }: z.output<typeof inputs.publish>, callId: string | undefined) =>
    acting(
      callId,
      async (tx, store, command) => {
        const { draft } = (await store.load(catalogAggregate, itemId)).state
        const references = draft === null ? {} : await referencesOf(tx, store, draft)
        const { state } = await command.execute(catalogAggregate, itemId, {
          type: 'PublishItemDraft',
          references
        })
        return { version: state.latest }
      },
      async (store) => ({ version: (await store.load(catalogAggregate, itemId)).state.latest })
    )

  const rename = ({ itemId, name }: z.output<typeof inputs.rename>, callId: string | undefined) =>
    acting(
      callId,
      async (tx, store, command) => {
        const item = await itemOf(store, itemId)
        if (item.name !== name) {
          await expectFree(tx, item.kind, name, itemId)
          await refuseWhileUsed(tx, item, 'renamed')
        }
        await command.execute(catalogAggregate, itemId, { type: 'RenameItem', name })
      },
      async () => undefined
    )

  const remove = ({ itemId }: z.output<typeof inputs.remove>, callId: string | undefined) =>
    acting(
      callId,
      async (tx, store, command) => {
        await refuseWhileUsed(tx, await itemOf(store, itemId), 'removed')
        await command.execute(catalogAggregate, itemId, { type: 'RemoveItem' })
      },
      async () => undefined
    )

  const find = async (args: z.output<typeof inputs.get>): Promise<CatalogItemView> => {
    if ('itemId' in args) return view(args.itemId)
    const [item] = await readIndex(context, args)
    if (item !== undefined) return view(item.itemId)
    throw new FlowForgeError(
      'NOT_FOUND',
      `There is no ${KIND_NAMES[args.kind]} "${args.name}" in the catalog.`,
      {
        ...args
      }
    )
  }

  return {
    create: handler('catalog.create', inputs.create, create),
    edit: handler('catalog.edit', inputs.edit, edit),
    undo: handler('catalog.undo', inputs.undo, ({ itemId }, callId) =>
      execute(itemId, { type: 'UndoItemEdit' }, callId)
    ),
    redo: handler('catalog.redo', inputs.redo, ({ itemId }, callId) =>
      execute(itemId, { type: 'RedoItemEdit' }, callId)
    ),
    discard: handler('catalog.discard', inputs.discard, ({ itemId }, callId) =>
      execute(itemId, { type: 'DiscardItemDraft' }, callId)
    ),
    publish: handler('catalog.publish', inputs.publish, publish),
    rename: handler('catalog.rename', inputs.rename, rename),
    describe: handler('catalog.describe', inputs.describe, async ({ itemId, description }, callId) => {
      await execute(itemId, { type: 'DescribeItem', description }, callId)
    }),
    remove: handler('catalog.remove', inputs.remove, remove),
    get: handler('catalog.get', inputs.get, find),
    list: handler('catalog.list', inputs.list, async ({ kind, search = '' }) => {
      const wanted = search.toLowerCase()
      const items = await readIndex(context, { kind })
      return items.filter(({ name }) => name.toLowerCase().includes(wanted))
    }),
    whereUsed: handler('catalog.whereUsed', inputs.whereUsed, async ({ itemId }) =>
      findUses(context, await itemOf(aggregates, itemId))
    ),
    whatIf: handler('catalog.whatIf', inputs.whatIf, whatIf)
  }
}
