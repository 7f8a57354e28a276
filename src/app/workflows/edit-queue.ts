import type { WorkflowView } from '../../worker/api.ts'
import { applyChanges } from '../../workflow/apply-changes.ts'
import type { GraphChange } from '../../workflow/change.ts'
import type { Graph } from '../../workflow/graph.ts'

/** What a person did at once: one event, one undo. */
type Batch = { readonly changes: readonly GraphChange[]; readonly textKey: string | null }

export type EditState = {
  /** As the log has it. */
  readonly view: WorkflowView
  /** The same with what is not answered yet: what the screen draws. */
  readonly graph: Graph
  readonly saving: boolean
}

export type EditQueue = {
  /** Shows the changes now and sends them now. */
  edit(changes: readonly GraphChange[]): void
  /** Shows the changes now and sends them when no more came under the same key for a while; the last ones win. */
  type(textKey: string, changes: readonly GraphChange[]): void
  /** Sends what waits; resolves when everything is answered. */
  flush(): Promise<void>
  /** Flushes, then takes what another call (undo, redo, a reload) answered as the truth. */
  replace(load: () => Promise<WorkflowView>): Promise<void>
}

/**
 * Edits of one draft, in order, one call at a time. What the worker refuses is taken back from the screen and told to
 * `onRefused`, with those later edits that stood on it; nothing else is lost.
 */
export const createEditQueue = (options: {
  readonly view: WorkflowView
  readonly send: (changes: readonly GraphChange[]) => Promise<WorkflowView>
  readonly onState: (state: EditState) => void
  readonly onRefused: (error: unknown) => void
  readonly typingMs?: number
}): EditQueue => {
  const { send, onState, onRefused, typingMs = 400 } = options
  let view = options.view
  let waiting: readonly Batch[] = []
  let typing: Batch | null = null
  let typingTimer: ReturnType<typeof setTimeout> | undefined
  let sending: Promise<void> | null = null

  /** The graph with every unanswered edit; those that no longer fit are dropped and told. */
  const currentGraph = (): Graph => {
    let graph = view.graph
    const kept = (batch: Batch): boolean => {
      const applied = applyChanges(graph, batch.changes)
      if (applied.ok) graph = applied.graph
      else onRefused(new Error(applied.message))
      return applied.ok
    }
    waiting = waiting.filter(kept)
    if (typing !== null && !kept(typing)) typing = null
    return graph
  }
  const tell = (): void => {
    const graph = currentGraph()
    onState({ view, graph, saving: waiting.length > 0 || typing !== null })
  }

  const drain = async (): Promise<void> => {
    for (let batch = waiting[0]; batch !== undefined; batch = waiting[0]) {
      try {
        view = await send(batch.changes)
      } catch (error) {
        onRefused(error)
      }
      waiting = waiting.slice(1)
      tell()
    }
  }
  const start = (): Promise<void> => {
    sending ??= drain().finally(() => {
      sending = null
    })
    return sending
  }
  const endTyping = (): void => {
    clearTimeout(typingTimer)
    if (typing === null) return
    waiting = [...waiting, typing]
    typing = null
  }

  return {
    edit(changes) {
      if (changes.length === 0) return
      endTyping()
      waiting = [...waiting, { changes, textKey: null }]
      tell()
      void start()
    },
    type(textKey, changes) {
      if (typing !== null && typing.textKey !== textKey) {
        endTyping()
        void start()
      }
      typing = { changes, textKey }
      clearTimeout(typingTimer)
      typingTimer = setTimeout(() => {
        endTyping()
        void start()
      }, typingMs)
      tell()
    },
    async flush() {
      endTyping()
      while (waiting.length > 0 || sending !== null) await start()
    },
    async replace(load) {
      await this.flush()
      view = await load()
      tell()
    }
  }
}
