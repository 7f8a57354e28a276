import { FlowForgeError, toFlowForgeError, type DbContext } from '../db/ports.ts'
import { parseDocument, toDocument, toGraph } from '../workflow/document.ts'
import type { Graph } from '../workflow/graph.ts'
import { mayStandInDraft, type Problem } from '../workflow/problem.ts'
import { canRejectRows } from '../workflow/rejecting.ts'
import { toVersionId, type Workflow } from '../workflow/workflow/workflow-state.ts'
import { workflowAggregate, type WorkflowCommand } from '../workflow/workflow/workflow.ts'
import type { AggregateStore, Loaded } from './aggregate-store.ts'
import { flowForgeInputs, type FlowForgeApi, type WorkflowView } from './api.ts'
import type { AskService } from './engine/ask-service.ts'
import type { ComputeEngine } from './engine/compute-engine.ts'
import { handler } from './handler.ts'
import type { Planning } from './planning.ts'
import { expectPinnable } from './runs/checked-pins.ts'
import { pinnedRows } from './runs/pinned-rows.ts'
import { toKnown } from './runs/reusing.ts'
import type { World } from './world.ts'

const inputs = flowForgeInputs.workflows
const FIRST_VERSION = 1

type Version = {
  readonly version: number
  readonly status: 'draft' | 'active' | 'archived'
  readonly graph: Graph
}

/** The version asked for, else the draft, else the active one. @throws FlowForgeError `NOT_FOUND` */
export const versionOf = (workflowId: string, workflow: Workflow, asked: number | undefined): Version => {
  if (workflow.status !== 'live') {
    const message =
      workflow.status === 'removed'
        ? `The workflow "${workflow.name}" was removed.`
        : 'There is no such workflow.'
    throw new FlowForgeError('NOT_FOUND', message, { workflowId })
  }
  const version = workflow.versions[asked ?? workflow.draft ?? workflow.active ?? 0]
  if (version !== undefined) return version
  throw new FlowForgeError('NOT_FOUND', `"${workflow.name}" has no version ${asked}.`, {
    workflowId,
    version: asked
  })
}

const toView = (
  workflowId: string,
  { state, seq, savedAt }: Loaded<Workflow>,
  asked: number | undefined
): WorkflowView => {
  const { version, status, graph } = versionOf(workflowId, state, asked)
  const isDraft = version === state.draft
  return {
    workflowId,
    name: state.name,
    description: state.description,
    version,
    workflowVersionId: toVersionId(workflowId, version),
    status,
    versions: Object.values(state.versions).map((each) => ({
      version: each.version,
      status: each.status,
      workflowVersionId: toVersionId(workflowId, each.version)
    })),
    graph,
    parameters: graph.parameters,
    canUndo: isDraft && state.undo.length > 0,
    canRedo: isDraft && state.redo.length > 0,
    seq,
    savedAt: savedAt ?? ''
  }
}

const refuseDocument = (problems: readonly Problem[]): never => {
  const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  throw new FlowForgeError('INVALID_INPUT', `This workflow document has ${count}. ${lines.join(' ')}`, {
    problems
  })
}

/** Chance in a preview: the same each time, so that it does not flicker. */
const PREVIEW_SEED = 'preview'

type Parts = {
  context: DbContext
  aggregates: AggregateStore
  planning: Planning
  engine: ComputeEngine
  world: World
  /** Who answers for services in a preview: from the record alone. */
  previewAsk: (workflowId: string) => Promise<AskService>
}

export const createWorkflowHandlers = (parts: Parts): FlowForgeApi['workflows'] => {
  const { context, aggregates, planning, engine, world, previewAsk } = parts

  const freeName = async (name: string): Promise<string> => {
    const rows = await context.projectionStore.query({ sql: 'SELECT name FROM workflows' })
    const taken = new Set(rows.map((row) => row['name']))
    let free = name
    for (let number = 2; taken.has(free); number += 1) free = `${name} ${number}`
    return free
  }

  const create = async (
    command: Omit<Extract<WorkflowCommand, { type: 'CreateWorkflow' }>, 'type'>,
    callId: string | undefined
  ) => {
    const workflowId = `workflow:${callId ?? world.newId()}`
    await aggregates
      .once(callId)
      .execute(workflowAggregate, workflowId, { type: 'CreateWorkflow', ...command })
    return { workflowId, workflowVersionId: toVersionId(workflowId, FIRST_VERSION) }
  }

  const execute = async (
    workflowId: string,
    command: WorkflowCommand,
    callId: string | undefined
  ): Promise<WorkflowView> =>
    toView(
      workflowId,
      await aggregates.once(callId).execute(workflowAggregate, workflowId, command),
      undefined
    )

  const graphOf = async (workflowId: string, version: number | undefined): Promise<Graph> => {
    const { state } = await aggregates.load(workflowAggregate, workflowId)
    return versionOf(workflowId, state, version).graph
  }

  const importDocument = async (raw: unknown, callId: string | undefined) => {
    const parsed = parseDocument(raw)
    // Of the right form, it is checked to the end even if it is wrong, so that every problem is told at once.
    const { document } = parsed
    if (document === undefined) return refuseDocument(parsed.ok ? [] : parsed.problems)
    const graph = toGraph(document)
    const { problems } = await planning.check(graph)
    if (!parsed.ok || !problems.every(mayStandInDraft)) return refuseDocument(problems)
    const { name, description } = document
    const ids = await create({ name: await freeName(name), description, graph }, callId)
    return { ...ids, problems: [...problems] }
  }

  /** Ends the preview before, so that a person who clicks on waits for the last one alone. */
  let lastPreview = new AbortController()
  const preview: FlowForgeApi['workflows']['preview'] = async (args) => {
    lastPreview.abort()
    const current = new AbortController()
    lastPreview = current
    const { signal } = current
    const graph = await graphOf(args.workflowId, args.version)
    const planned = (rejecting?: ReadonlySet<string>) =>
      planning.plan(graph, {
        parameters: args.parameters,
        until: args.nodeId,
        moment: { clock: world.now(), seed: PREVIEW_SEED },
        rejecting,
        usesPins: true
      })
    const show = async ({ plan, sources, resolved }: Awaited<ReturnType<typeof planned>>) => {
      const outputs = plan.steps.find((step) => step.nodeId === args.nodeId)?.outputs ?? []
      const relation =
        args.port === undefined ? outputs[0] : outputs.find((id) => id === `${args.nodeId}.${args.port}`)
      if (relation === undefined) {
        const message = `There is nothing to show of "${args.nodeId}"${args.port === undefined ? '' : ` at "${args.port}"`}.`
        throw new FlowForgeError('NOT_FOUND', message, { nodeId: args.nodeId, port: args.port ?? null })
      }
      return engine.preview({
        plan,
        relation,
        limit: args.limit ?? 1_000,
        sources,
        known: toKnown(await pinnedRows(context, { plan, graph: resolved, signal })),
        signal,
        ask: await previewAsk(args.workflowId)
      })
    }
    const usual = await planned()
    try {
      return await show(usual)
    } catch (thrown) {
      const { details } = toFlowForgeError(thrown)
      const tried = new Set(usual.resolved.nodes.filter(canRejectRows).map(({ id }) => id))
      if (details['reason'] !== 'query' || tried.size === 0) throw thrown
      // As a run does: rows for which an expression fails leave, and the others are shown.
      return { ...(await show(await planned(tried))), isTried: true }
    }
  }

  return {
    import: handler('workflows.import', inputs.import, importDocument),
    export: handler('workflows.export', inputs.export, async ({ workflowId, version, keepsSecrets }) => {
      const { state } = await aggregates.load(workflowAggregate, workflowId)
      const { graph } = versionOf(workflowId, state, version)
      return toDocument(graph, state.name, state.description ?? undefined, { keepsSecrets })
    }),
    publish: handler('workflows.publish', inputs.publish, async ({ workflowId }, callId) => {
      const { problems } = await planning.check(await graphOf(workflowId, undefined))
      const own = problems.filter((problem) => !mayStandInDraft(problem))
      if (own.length > 0) return refuseDocument(own)
      const { version, workflowVersionId } = await execute(workflowId, { type: 'PublishDraft' }, callId)
      return { version, workflowVersionId }
    }),
    create: handler('workflows.create', inputs.create, async ({ name, description }, callId) =>
      create({ name: name ?? (await freeName('Untitled workflow')), description }, callId)
    ),
    get: handler('workflows.get', inputs.get, async ({ workflowId, version }) =>
      toView(workflowId, await aggregates.load(workflowAggregate, workflowId), version)
    ),
    edit: handler('workflows.edit', inputs.edit, async ({ workflowId, changes }, callId) => {
      await expectPinnable(context, changes)
      return execute(workflowId, { type: 'EditDraft', changes }, callId)
    }),
    undo: handler('workflows.undo', inputs.undo, ({ workflowId }, callId) =>
      execute(workflowId, { type: 'UndoEdit' }, callId)
    ),
    redo: handler('workflows.redo', inputs.redo, ({ workflowId }, callId) =>
      execute(workflowId, { type: 'RedoEdit' }, callId)
    ),
    describe: handler(
      'workflows.describe',
      inputs.describe,
      async ({ workflowId, name, description }, callId) => {
        await execute(workflowId, { type: 'DescribeWorkflow', name, description }, callId)
      }
    ),
    remove: handler('workflows.remove', inputs.remove, async ({ workflowId }, callId) => {
      await aggregates.once(callId).execute(workflowAggregate, workflowId, { type: 'RemoveWorkflow' })
    }),
    check: handler('workflows.check', inputs.check, async ({ workflowId, version }) => {
      const { problems, columns } = await planning.check(await graphOf(workflowId, version), {
        usesPins: true
      })
      return { problems: [...problems], columns }
    }),
    preview: handler('workflows.preview', inputs.preview, preview)
  }
}
