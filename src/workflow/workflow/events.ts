import { z } from 'zod'
import { firstVersion, type EventsOf } from '../aggregate.ts'
import { GraphChange } from '../change.ts'
import { Graph } from '../graph.ts'

const Version = z.int().min(1)
const Name = z.string().min(1).max(200)
const Description = z.string().max(2_000)

/** A workflow and the draft of its version 1: empty, or with the graph of an imported document. */
const WorkflowCreated = z.strictObject({
  name: Name,
  description: Description.optional(),
  graph: Graph.optional()
})
const WorkflowDescribed = z.strictObject({ name: Name.optional(), description: Description.optional() })

/** `undo` and `redo` are edits, too: their changes are what the stack held, so that every reader needs the changes alone. */
const DraftEdited = z.strictObject({
  version: Version,
  kind: z.enum(['edit', 'undo', 'redo']),
  changes: z.array(GraphChange).min(1)
})

/** A new draft with the graph of the version `from`; the graph is repeated so that rows can be made of this event alone. */
const DraftStarted = z.strictObject({ version: Version, from: Version, graph: Graph })

/** The draft became the active version; `archived` is the one that was active before. */
const WorkflowPublished = z.strictObject({ version: Version, archived: Version.nullable() })

/** `versions` are all that it had. */
const WorkflowRemoved = z.strictObject({ versions: z.array(Version) })

export const workflowEvents = {
  WorkflowCreated: firstVersion(WorkflowCreated),
  WorkflowDescribed: firstVersion(WorkflowDescribed),
  DraftEdited: firstVersion(DraftEdited),
  DraftStarted: firstVersion(DraftStarted),
  WorkflowPublished: firstVersion(WorkflowPublished),
  WorkflowRemoved: firstVersion(WorkflowRemoved)
} as const

export type WorkflowEvent = EventsOf<typeof workflowEvents>
