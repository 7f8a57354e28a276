import { NODE_KINDS } from '../../../workflow/graph.ts'
import type { LooseEnd } from '../useNodeEdits.ts'
import { kindTemplate, type NodeTemplate, sourceTemplate } from '../graph/node-kinds.ts'
import { portsOfNode } from '../graph/ports.ts'
import { firstStep, STEP_OPS, stepTexts } from '../graph/transform-steps.ts'

export type PaletteItem = { readonly id: string; readonly group: string; readonly template: NodeTemplate }

const stepTemplate = (op: (typeof STEP_OPS)[number]): NodeTemplate => ({
  kind: 'transform',
  name: stepTexts[op].label,
  does: stepTexts[op].does,
  spec: { steps: [firstStep(op)] }
})

const fits = (template: NodeTemplate, looseEnd: LooseEnd | null): boolean => {
  if (looseEnd === null) return true
  const ports = portsOfNode(template)
  return looseEnd.type === 'from' ? ports.inputs.length > 0 : ports.outputs.length > 0
}

/** Everything that can be added, by group; with a loose end only what it fits. */
export const paletteItems = (
  dataSources: readonly string[],
  looseEnd: LooseEnd | null
): readonly PaletteItem[] =>
  [
    ...NODE_KINDS.map((kind) => ({ id: kind, group: 'Nodes', template: kindTemplate(kind) })),
    ...dataSources.map((name) => ({
      id: `data ${name}`,
      group: 'Data sources',
      template: sourceTemplate(name)
    })),
    ...STEP_OPS.map((op) => ({
      id: `step ${op}`,
      group: 'Transforms with one step',
      template: stepTemplate(op)
    }))
  ].filter(({ template }) => fits(template, looseEnd))

/** Those whose name or kind begins with the words come first, then those that hold them. */
export const searchPalette = (items: readonly PaletteItem[], words: string): readonly PaletteItem[] => {
  const wanted = words.trim().toLowerCase()
  if (wanted === '') return items
  const begins = ({ template }: PaletteItem): boolean => template.name.toLowerCase().startsWith(wanted)
  const holds = ({ template }: PaletteItem): boolean =>
    `${template.name} ${template.kind} ${template.does}`.toLowerCase().includes(wanted)
  return [...items.filter(begins), ...items.filter((item) => !begins(item) && holds(item))]
}
