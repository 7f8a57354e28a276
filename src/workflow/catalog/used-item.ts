import { z } from 'zod'
import { CatalogKind } from './content.ts'

/** That a node used an item; part of the manifest of every run. */
export const UsedItem = z.object({
  nodeId: z.string(),
  /** From the node's spec to the name. */
  path: z.string(),
  kind: CatalogKind,
  itemId: z.string(),
  name: z.string(),
  version: z.int(),
  /** Of the content. */
  sha256: z.string()
})
export type UsedItem = z.infer<typeof UsedItem>
