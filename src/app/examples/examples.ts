import type { NodeKind } from '../../workflow/graph.ts'

export type Example = {
  readonly id: string
  readonly title: string
  readonly text: string
  /** What it shows, in the order rows pass it. */
  readonly kinds: readonly NodeKind[]
}

/** The ids are those of the bundled files in `public/examples`. */
export const examples: readonly Example[] = [
  {
    id: 'order-decisions',
    title: 'Order decisions',
    text: 'Each order in an Excel file checked against a directory of people: a decision and a reason for every row.',
    kinds: ['source', 'join', 'rule', 'sink']
  },
  {
    id: 'delays-by-state',
    title: 'Delays by state',
    text: 'Flights joined with airports and counted by state: which suffer most from late flights?',
    kinds: ['source', 'join', 'transform', 'sink']
  },
  {
    id: 'sales-by-channel',
    title: 'Sales by channel',
    text: 'One file in, two results out: large sales to look at, and a table of months by channel.',
    kinds: ['source', 'branch', 'transform', 'sink']
  }
]
