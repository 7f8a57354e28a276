import { createHash } from 'node:crypto'
import type { DbContext, JsonObject, NewEvent } from '../../src/db/ports.ts'
import { INLINE_LIMIT } from '../../src/db/blobs/blob-store.ts'
import type { GraphChange } from '../../src/workflow/change.ts'
import type { WorkflowCommand } from '../../src/workflow/workflow/workflow.ts'
import type { Intended } from '../history/history.ts'
import { DECIDED, toStored } from './facts.ts'
import { ChangedMind, appendNoted, outcomeOf, toIntended, writeNoted, type Workbench } from './workbench.ts'

type Action = (bench: Workbench) => Promise<unknown>

const SHARED = ['shared:1', 'shared:2', 'plain'] as const

const streamOf = (bench: Workbench): string =>
  bench.random.chance(0.6) ? bench.random.pick(SHARED) : `own:${bench.client}`

/** An event of nobody's type; some without an id of their own, a few so large that they take many pages. */
const newEvent = (bench: Workbench, aggregateId = streamOf(bench)): NewEvent => {
  const { random, facts, client } = bench
  const number = facts.next()
  const hasId = random.chance(0.7)
  const id = `${client}-e${number}`
  const size = random.chance(0.06) ? random.between(8_000, 40_000) : random.between(0, 200)
  const payload: JsonObject = { mark: hasId ? id : `mark-${number}`, text: 'x'.repeat(size) }
  return {
    aggregateId,
    eventType: random.pick(['Noted', 'Counted', 'Told']),
    payload,
    ...(hasId ? { id } : {}),
    ...(random.chance(0.2) ? { metadata: { by: client, number } } : {})
  }
}

const appendOne: Action = (bench) => {
  const event = newEvent(bench)
  return appendNoted(bench, 'append', [toIntended(event)], async () => [await bench.log.append(event)])
}

const appendBatch: Action = (bench) => {
  const events = Array.from({ length: bench.random.between(2, 6) }, () => newEvent(bench))
  return appendNoted(bench, 'batch', events.map(toIntended), () => bench.log.appendMany(events))
}

/** Several calls at once, of which the client waits for none before it makes the next. */
const appendAtOnce: Action = (bench) =>
  Promise.all(Array.from({ length: bench.random.between(2, 5) }, () => appendOne(bench)))

/** Reads a stream, and appends where it ended. Others do the same. */
const compareAndSet: Action = async (bench) => {
  const aggregateId = bench.random.pick(SHARED)
  const { facts } = bench
  const load: (typeof facts.loads)[number] = {
    kind: 'load',
    client: bench.client,
    index: facts.next(),
    invokedAt: facts.tick(),
    aggregateId,
    outcome: { kind: 'unknown' }
  }
  facts.loads.push(load)
  load.outcome = await outcomeOf(bench, 'load', async () =>
    (await bench.context.eventStore.load({ aggregateId })).map(toStored)
  )
  if (load.outcome.kind !== 'answered') return
  const expectedSeq = load.outcome.answer.length - (bench.random.chance(0.15) ? 1 : 0)
  if (expectedSeq < 0) return
  const event = { ...newEvent(bench, aggregateId), expectedSeq }
  await appendNoted(bench, 'expected seq', [toIntended(event)], async () => [await bench.log.append(event)])
}

/** Appends under an id that was used before, as a page does that lost its answer. */
const appendAgain: Action = async (bench) => {
  const event: NewEvent = { ...newEvent(bench), id: `${bench.client}-again${bench.facts.next()}` }
  const marked = { ...event, payload: { ...event.payload, mark: event.id } }
  const send = (kind: string) =>
    appendNoted(bench, kind, [toIntended(marked)], async () => [await bench.log.append(marked)])
  await (bench.random.chance(0.5) ? Promise.all([send('append'), send('again')]) : send('append'))
  await send('again')
}

const node = (name: string): GraphChange => ({
  type: 'add-node',
  node: { id: name, kind: 'transform', name, spec: { steps: [] } }
})

/** A command of FlowForge's own: decided, appended and projected in one transaction. */
const command = async (bench: Workbench, workflow: string, count: number, ...commands: WorkflowCommand[]) => {
  const callId = `${bench.client}-call${bench.facts.next()}`
  const { workflowAggregate } = bench.life.program
  const aggregateId = `workflow:${workflow}`
  const events = Array.from({ length: count }, (_, at): Intended => ({
    id: `${callId}/${at}`,
    aggregateId,
    content: DECIDED
  }))
  const isStored = await appendNoted(bench, 'projection', events, async () => {
    await bench.aggregates.once(callId).execute(workflowAggregate, aggregateId, ...commands)
    return []
  })
  return isStored !== null
}

const edit: Action = async (bench) => {
  const { random, facts, client } = bench
  const workflow = `${client}-w${facts.next()}`
  if (!(await command(bench, workflow, 1, { type: 'CreateWorkflow', name: workflow }))) return
  for (let at = random.between(1, 4); at > 0; at -= 1) {
    const change: WorkflowCommand = { type: 'EditDraft', changes: [node(`n${at}`)] }
    const description: WorkflowCommand = { type: 'DescribeWorkflow', description: `${facts.next()}` }
    const kind = random.pick(['edit', 'edit', 'both', 'publish'] as const)
    if (kind === 'edit') await command(bench, workflow, 1, change)
    if (kind === 'both') await command(bench, workflow, 2, change, description)
    if (kind === 'publish') await command(bench, workflow, 3, { type: 'PublishDraft' }, change)
  }
}

/** A run as the log has it: what follows the log on its own hears of it. */
const run: Action = (bench) => {
  const name = `${bench.client}-r${bench.facts.next()}`
  const callId = `${name}-call`
  const aggregateId = `run:${name}`
  const { runAggregate } = bench.life.program
  const queued = {
    workflowId: 'workflow:w',
    workflowVersionId: 'workflow:w@1',
    version: 1,
    workflowName: 'W',
    trigger: 'manual' as const,
    parameters: {}
  }
  const events = [0, 1, 2].map((at): Intended => ({
    id: `${callId}/${at}`,
    aggregateId,
    content: DECIDED
  }))
  return appendNoted(bench, 'run', events, async () => {
    await bench.aggregates
      .once(callId)
      .execute(
        runAggregate,
        aggregateId,
        { type: 'QueueRun', ...queued },
        { type: 'StartRun', manifest: {} },
        { type: 'SucceedRun' }
      )
    return []
  })
}

/** Fills a read model, or all of them, anew while others append. */
const rebuild: Action = async (bench) => {
  const name = bench.random.pick(['workflow-activity', 'workflows', undefined])
  await outcomeOf(bench, 'rebuild', () => bench.projections.rebuild(name))
}

const seal: Action = (bench) => outcomeOf(bench, 'seal', () => bench.context.log.seal())

/** Makes a backup, and reads it back in as a restore would. */
const backUp: Action = async (bench) => {
  const { backup } = bench.context
  await outcomeOf(bench, 'backup', async () => {
    await backup.stage((await backup.create({})).file, {})
    await backup.discard()
  })
}

const upsertRow: Action = (bench) => {
  const key = `${bench.client}-row${bench.random.between(1, 3)}`
  const name = `${bench.facts.next()}`
  const row = { id: key, kind: 'user', name, created_at: 'then' }
  return writeNoted(bench, 'row', key, name, () =>
    bench.context.projectionStore.upsert({ table: 'principals', rows: [row] })
  )
}

/** Small ones stand in the database, large ones are files; some of the same bytes under several keys. */
const bytesOf = (bench: Workbench): Uint8Array => {
  const { random } = bench
  const isLarge = random.chance(0.4)
  const content = random.chance(0.3) ? 7 : random.between(0, 255)
  return new Uint8Array(isLarge ? INLINE_LIMIT + 4_000 : random.between(0, 3_000)).fill(content)
}
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const putBlob: Action = (bench) => {
  const key = `${bench.client}-blob${bench.random.between(1, 4)}`
  const { blobStore } = bench.context
  if (bench.random.chance(0.15)) return writeNoted(bench, 'blob', key, null, () => blobStore.remove({ key }))
  const data = bytesOf(bench)
  return writeNoted(bench, 'blob', key, hashOf(data), () => blobStore.put({ key, data }))
}

const saveSnapshot: Action = (bench) => {
  const aggregateId = `own:${bench.client}`
  const lastSeq = bench.facts.next()
  return writeNoted(bench, 'snapshot', aggregateId, `${lastSeq}`, () =>
    bench.context.eventStore.saveSnapshot({ aggregateId, lastSeq, state: { lastSeq } })
  )
}

/** A transaction that does several things: some are undone as a whole, the others have a part that is. */
const transaction: Action = (bench) => {
  const { random, context, client, facts } = bench
  const [first, second, third] = [newEvent(bench), newEvent(bench), newEvent(bench)]
  const key = `${client}-undone${facts.next()}`
  facts.registers.row.set(key, { known: null, maybe: [] })
  facts.registers.blob.set(key, { known: null, maybe: [] })
  const data = bytesOf(bench)
  const undone = (outer: DbContext): Promise<never> =>
    outer.tx.runInTransaction(async (tx) => {
      await tx.eventStore.append(second)
      await tx.projectionStore.upsert({
        table: 'principals',
        rows: [{ id: key, kind: 'user', name: 'undone', created_at: 'then' }]
      })
      await tx.blobStore.put({ key, data })
      throw new ChangedMind()
    })
  if (random.chance(0.5)) return appendNoted(bench, 'undone', [toIntended(second)], () => undone(context))
  const refused: Intended = toIntended(second)
  return appendNoted(bench, 'transaction', [toIntended(first), toIntended(third)], () =>
    context.tx.runInTransaction(async (tx) => {
      const one = await tx.eventStore.append(first)
      await appendNoted(bench, 'undone', [refused], () => undone(tx))
      return [one, await tx.eventStore.append(third)]
    })
  )
}

const ACTIONS: readonly [Action, ...Action[]] = [
  appendOne,
  appendOne,
  appendBatch,
  appendAtOnce,
  compareAndSet,
  compareAndSet,
  appendAgain,
  edit,
  upsertRow,
  putBlob,
  saveSnapshot,
  transaction,
  run,
  run
]

/** What takes long: done by one client in a few of its turns. */
const LONG_ACTIONS: readonly [Action, ...Action[]] = [rebuild, seal, backUp]

/** One client's work: this and that, with pauses, so that the clients of a program come between each other. */
export const work = async (bench: Workbench, count: number): Promise<void> => {
  for (let done = 0; done < count && !bench.life.killer.isDead(); done += 1) {
    await bench.random.pick(bench.random.chance(0.06) ? LONG_ACTIONS : ACTIONS)(bench)
    if (bench.random.chance(0.5)) {
      await new Promise<void>((resolve) => bench.scheduler.after(bench.random.between(0, 3), resolve))
    }
  }
}
