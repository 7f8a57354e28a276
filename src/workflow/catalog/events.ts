import { z } from 'zod'
import { firstVersion, type EventsOf } from '../aggregate.ts'
import { CatalogContent, CatalogKind } from './content.ts'

const Name = z.string().min(1).max(200)
const Version = z.int().min(1)

const CatalogItemCreated = z.strictObject({
  kind: CatalogKind,
  name: Name,
  description: z.string().max(2_000).optional()
})

/**
 * A version that nodes may name from now on; the draft is gone. `name` is repeated and `references` says the ids of the
 * rows that the content's names stand for, by slot, so that rows can be made of this event alone.
 */
const CatalogItemVersionPublished = z.strictObject({
  name: Name,
  version: Version,
  content: CatalogContent,
  references: z.record(z.string(), z.string())
})

/** The draft beside the published versions; null: there is none any more. Undo and redo are edits, too. */
const CatalogItemDraftEdited = z.strictObject({
  by: z.enum(['edit', 'undo', 'redo', 'discard']),
  draft: CatalogContent.nullable()
})

/** `versions` are all that it has. */
const CatalogItemRenamed = z.strictObject({ kind: CatalogKind, name: Name, versions: z.array(Version) })
const CatalogItemDescribed = z.strictObject({ description: z.string().max(2_000) })
const CatalogItemRemoved = z.strictObject({ kind: CatalogKind, versions: z.array(Version) })

export const catalogEvents = {
  CatalogItemCreated: firstVersion(CatalogItemCreated),
  CatalogItemVersionPublished: firstVersion(CatalogItemVersionPublished),
  CatalogItemDraftEdited: firstVersion(CatalogItemDraftEdited),
  CatalogItemRenamed: firstVersion(CatalogItemRenamed),
  CatalogItemDescribed: firstVersion(CatalogItemDescribed),
  CatalogItemRemoved: firstVersion(CatalogItemRemoved)
} as const

export type CatalogEvent = EventsOf<typeof catalogEvents>
