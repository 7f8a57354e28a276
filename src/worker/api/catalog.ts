import { z } from 'zod'
import { CatalogContent, CatalogKind } from '../../workflow/catalog/content.ts'
import type { Page } from './page.ts'
import { Text, type In } from './parts.ts'

const ItemId = Text
const ItemName = Text.max(200)
const Description = z.string().max(2_000)

export const catalogInputs = {
  /** `content` is `{ kind, spec }`; it becomes version 1. A name is taken once a kind. */
  create: z.strictObject({ name: ItemName, description: Description.optional(), content: CatalogContent }),
  /** Keeps a draft beside the published versions; nobody uses it before it is published. `spec` is of the item's kind. */
  edit: z.strictObject({ itemId: ItemId, spec: z.unknown() }),
  undo: z.strictObject({ itemId: ItemId }),
  redo: z.strictObject({ itemId: ItemId }),
  /** Lets go of the draft; `undo` brings it back. */
  discard: z.strictObject({ itemId: ItemId }),
  /** The draft becomes the next version. Nodes that pin no version use it from then on. */
  publish: z.strictObject({ itemId: ItemId }),
  /** Refused with `CONFLICT` while a draft or an active version, or another item, names it. */
  rename: z.strictObject({ itemId: ItemId, name: ItemName }),
  describe: z.strictObject({ itemId: ItemId, description: Description }),
  /** Refused with `CONFLICT` while a draft or an active version, or another item, names it. */
  remove: z.strictObject({ itemId: ItemId }),
  get: z.union([z.strictObject({ itemId: ItemId }), z.strictObject({ kind: CatalogKind, name: ItemName })]),
  /** By kind and name; `search` is part of a name. */
  list: z.strictObject({ kind: CatalogKind.optional(), search: z.string().optional() }),
  whereUsed: z.strictObject({ itemId: ItemId }),
  /** What a rule set's draft would have made of a past run's rows: those whose outcome changes, counted, the first listed. */
  whatIf: z.strictObject({
    itemId: ItemId,
    runId: Text,
    limit: z.number().int().min(1).max(10_000).optional()
  })
} as const

type Inputs = { [K in keyof typeof catalogInputs]: In<(typeof catalogInputs)[K]> }

export type CatalogEntry = {
  itemId: string
  kind: CatalogKind
  name: string
}

export type CatalogItemView = {
  itemId: string
  kind: CatalogKind
  name: string
  description: string | null
  /** Oldest first. `sha256` is what stands in the manifest of a run that used the version. */
  versions: { version: number; content: CatalogContent; sha256: string; publishedAt: string }[]
  draft: CatalogContent | null
  canUndo: boolean
  canRedo: boolean
  /** Of the last event. */
  seq: number
  savedAt: string
}

export type CatalogUses = {
  /** A node a line; a version null uses the latest. */
  workflows: {
    workflowId: string
    workflowName: string
    workflowVersion: number
    status: 'draft' | 'active' | 'archived'
    nodeId: string
    nodeName: string
    version: number | null
  }[]
  items: { itemId: string; kind: CatalogKind; name: string }[]
}

export type WhatIf = {
  /** A rule node of the run a line, with the version that the run used. `changed.total` counts all rows that change. */
  nodes: { nodeId: string; nodeName: string; version: number; changed: Page }[]
}

export type CatalogApi = {
  create(args: Inputs['create']): Promise<{ itemId: string; version: number }>
  edit(args: Inputs['edit']): Promise<CatalogItemView>
  undo(args: Inputs['undo']): Promise<CatalogItemView>
  redo(args: Inputs['redo']): Promise<CatalogItemView>
  discard(args: Inputs['discard']): Promise<CatalogItemView>
  publish(args: Inputs['publish']): Promise<{ version: number }>
  rename(args: Inputs['rename']): Promise<void>
  describe(args: Inputs['describe']): Promise<void>
  remove(args: Inputs['remove']): Promise<void>
  get(args: Inputs['get']): Promise<CatalogItemView>
  list(args: Inputs['list']): Promise<CatalogEntry[]>
  whereUsed(args: Inputs['whereUsed']): Promise<CatalogUses>
  whatIf(args: Inputs['whatIf']): Promise<WhatIf>
}
