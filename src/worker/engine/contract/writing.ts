import type { SinkFormat } from '../../../workflow/nodes/sink.ts'
import type { ExecutionOutcome, WrittenArtifact } from '../compute-engine.ts'
import { listening, type TestEngine } from './test-engine.ts'

export type Written = {
  readonly outcome: ExecutionOutcome
  readonly table: WrittenArtifact | undefined
  readonly file: WrittenArtifact | undefined
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly logs: readonly string[]
}

/** Runs a query over one row (its column is `n`) through a sink, and gives back what was written. */
export const writeQuery = async (
  bed: TestEngine,
  query: string,
  format: SinkFormat,
  spec: Record<string, unknown> = {}
): Promise<Written> => {
  const source = await bed.prepare('n.csv', 'n\n1\n')
  const { plan, sources } = await bed.plan(
    {
      nodes: [
        { id: 'numbers', kind: 'source', name: 'numbers', spec: { dataSource: 'n' } },
        { id: 'work', kind: 'transform', name: 'work', spec: { steps: [{ op: 'sql', query }] } },
        { id: 'out', kind: 'sink', name: 'out', spec: { format, fileName: `out.${format}`, ...spec } }
      ],
      edges: [
        ['numbers', 'work'],
        ['work', 'out']
      ]
    },
    { n: source }
  )
  const told = listening()
  const signal = new AbortController().signal
  const outcome = await bed.engine.execute({ plan, sources, signal, listener: told.listener })
  const [table, file] = told.artifacts
  const stored = file === undefined ? null : await bed.context.blobStore.get({ key: file.blobKey })
  return { outcome, table, file, bytes: stored?.data ?? new Uint8Array(), logs: told.logs }
}
