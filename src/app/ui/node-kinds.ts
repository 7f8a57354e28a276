import type { NodeKind } from '../../workflow/graph.ts'

/** What each node kind looks like, wherever it is named. Its hue is `--kind-<kind>` (`text-kind-source` and so on). */
export const nodeKindLooks: Readonly<
  Record<NodeKind, { readonly label: string; readonly icon: string; readonly hue: string }>
> = {
  source: { label: 'Source', icon: 'i-lucide-file-spreadsheet', hue: 'var(--kind-source)' },
  transform: { label: 'Transform', icon: 'i-lucide-wand-sparkles', hue: 'var(--kind-transform)' },
  join: { label: 'Join', icon: 'i-lucide-git-merge', hue: 'var(--kind-join)' },
  rule: { label: 'Rule', icon: 'i-lucide-scale', hue: 'var(--kind-rule)' },
  http: { label: 'HTTP', icon: 'i-lucide-globe', hue: 'var(--kind-http)' },
  branch: { label: 'Branch', icon: 'i-lucide-split', hue: 'var(--kind-branch)' },
  sink: { label: 'Sink', icon: 'i-lucide-file-output', hue: 'var(--kind-sink)' }
}
