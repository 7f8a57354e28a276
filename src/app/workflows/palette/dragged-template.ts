import { z } from 'zod'
import { NodeKind } from '../../../workflow/graph.ts'
import type { NodeTemplate } from '../graph/node-kinds.ts'

const MEDIA_TYPE = 'application/x-flowforge-node'

const Template = z.strictObject({
  kind: NodeKind,
  name: z.string(),
  does: z.string(),
  spec: z.record(z.string(), z.unknown())
})

export const writeDraggedTemplate = (event: DragEvent, template: NodeTemplate): void => {
  event.dataTransfer?.setData(MEDIA_TYPE, JSON.stringify(template))
  if (event.dataTransfer !== null) event.dataTransfer.effectAllowed = 'copy'
}

/** What is dragged can be looked at only when it is dropped; before that, its type alone. */
export const isTemplateDragged = (event: DragEvent): boolean =>
  event.dataTransfer?.types.includes(MEDIA_TYPE) ?? false

export const readDraggedTemplate = (event: DragEvent): NodeTemplate | null => {
  const text = event.dataTransfer?.getData(MEDIA_TYPE) ?? ''
  return text === '' ? null : Template.parse(JSON.parse(text))
}
