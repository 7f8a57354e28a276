import type { NodeKind } from '../../../workflow/graph.ts'

/** A node kind's one hue, as a CSS colour: for edges, bands and the minimap. */
export const kindColors: Readonly<Record<NodeKind, string>> = {
  source: 'var(--color-teal-500)',
  transform: 'var(--color-indigo-500)',
  join: 'var(--color-violet-500)',
  rule: 'var(--color-amber-500)',
  http: 'var(--color-sky-500)',
  branch: 'var(--color-rose-500)',
  sink: 'var(--color-emerald-500)'
}
