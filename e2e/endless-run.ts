import type { Page } from '@playwright/test'

/** A join of everything with everything: a run that does not end by itself while the test looks. */
export const startEndless = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `${index},${index % 7}`)
    const file = new File([`a,b\n${lines.join('\n')}\n`], 'numbers.csv', { type: 'text/csv' })
    const { name } = await window.flowforge.sources.importFile({ file })
    const { workflowId } = await window.flowforge.workflows.import({
      format: 'flowforge.workflow/1',
      name: 'Everything with everything',
      nodes: [
        { id: 'left', kind: 'source', name: 'Left', spec: { dataSource: name } },
        { id: 'right', kind: 'source', name: 'Right', spec: { dataSource: name } },
        {
          id: 'pairs',
          kind: 'join',
          name: 'Pairs',
          spec: { type: 'inner', onExpression: 'b + b_right > -1' }
        },
        {
          id: 'sum',
          kind: 'transform',
          name: 'Sum',
          spec: { steps: [{ op: 'aggregate', groupBy: ['b'], columns: { total: 'sum(a * a_right)' } }] }
        },
        { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'sums.csv' } }
      ],
      edges: [
        { from: 'left', to: 'pairs', toPort: 'left' },
        { from: 'right', to: 'pairs', toPort: 'right' },
        { from: 'pairs', to: 'sum' },
        { from: 'sum', to: 'result' }
      ]
    })
    const { runId } = await window.flowforge.runs.start({ workflowId })
    return runId
  })

export const statusOf = (page: Page, runId: string) =>
  page.evaluate(async (id) => {
    const [row] = await window.db.queryProjection({
      sql: 'SELECT status, error_json FROM runs WHERE id = ?',
      params: [id]
    })
    return { status: String(row?.['status']), error: String(row?.['error_json']) }
  }, runId)
