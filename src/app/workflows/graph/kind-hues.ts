import type { NodeKind } from '../../../workflow/graph.ts'

/** A node kind's one hue, as a CSS colour: for edges, bands and the minimap. */
export const kindColors: Readonly<Record<NodeKind, string>> = {
  source: 'var(--kind-source)',
  transform: 'var(--kind-transform)',
  join: 'var(--kind-join)',
  rule: 'var(--kind-rule)',
  http: 'var(--kind-http)',
  branch: 'var(--kind-branch)',
  sink: 'var(--kind-sink)'
}
