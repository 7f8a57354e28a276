import type { DbContext, RowChange } from '../../db/ports.ts'
import { expectFault, failAsWhole, failAt, type Live, type Parts } from './live.ts'
import {
  changesOf,
  createReader,
  entriesOf,
  headOf,
  placeAfter,
  readWindow,
  WINDOW,
  type Entry,
  type Place
} from './replay.ts'
import { saveCheckpoint, saveState, type RebuildProgress } from './states.ts'

/** Has it copies that can be filled further? */
export const isRebuilding = ({ state, isResting }: Live): boolean =>
  state.rebuild !== null && state.pausedAt === null && state.parked === null && !isResting

const placeOf = ({ state }: Live): Place => state.rebuild ?? { position: 0, write: 0 }
const isSingle = (live: Live): boolean => placeOf(live).position < live.singlyUpTo

/** Those that have come equally far, and so can be filled from one reading of the log. */
export const groupsOf = (lives: readonly Live[]): Live[][] => {
  const groups = new Map<string, Live[]>()
  for (const live of lives) {
    const isAlone = live.swapsAlone || isSingle(live)
    const key = isAlone ? live.projection.name : String(placeOf(live).position)
    groups.set(key, [...(groups.get(key) ?? []), live])
  }
  return [...groups.values()]
}

/** Empties the copies, or makes them, and begins at the start of the log. Its rows are served meanwhile. */
export const beginRebuild = async ({ context, now }: Parts, live: Live): Promise<void> => {
  const { name, version, tables } = live.projection
  const rebuild: RebuildProgress = { version, position: 0, write: 0, startedAt: now() }
  const state = { ...live.state, parked: null, rebuild }
  await context.tx.runInTransaction(async (tx) => {
    await tx.rebuilds.begin({ tables })
    await saveState(tx, name, state)
  })
  Object.assign(live, { state, singlyUpTo: 0, swapsAlone: false, failing: null })
}

/** What a live projection is filled with next, and where it stands then. */
type Filling = { readonly live: Live; readonly changes: readonly RowChange[]; readonly place: Place }

const isFilling = (each: Filling | null): each is Filling => each !== null

/** Reads once for all of a group. One whose entries cannot be projected is left out, to go on entry by entry. */
const prepare = async (
  context: DbContext,
  group: readonly Live[],
  upTo: number,
  skips: ReturnType<Parts['skips']>,
  limit = WINDOW
): Promise<Filling[]> => {
  const places = group.map(placeOf)
  const from = {
    position: Math.min(...places.map(({ position }) => position)),
    write: Math.min(...places.map(({ write }) => write))
  }
  const projections = group.map(({ projection }) => projection)
  const window = await readWindow(context, projections, from, upTo, limit)
  const read = createReader()
  return group
    .map((live): Filling | null => {
      const entries = entriesOf(live.projection, window, placeOf(live).write)
      const last = entries.findLast((entry) => entry.kind === 'write')
      const place = { position: upTo, write: last?.write.id ?? placeOf(live).write }
      try {
        return { live, place, changes: changesOf(live.projection, entries, skips, read) }
      } catch (thrown) {
        expectFault(thrown)
        live.singlyUpTo = upTo
        return null
      }
    })
    .filter(isFilling)
}

/** Fills each of the copies; one that refuses is left out, to go on entry by entry. */
const fillAll = async (tx: DbContext, fillings: readonly Filling[], upTo: number): Promise<Filling[]> => {
  const filled: Filling[] = []
  for (const filling of fillings) {
    const { live, changes } = filling
    try {
      // oxlint-disable-next-line no-await-in-loop -- one transaction does one thing at a time
      if (changes.length > 0) await tx.rebuilds.apply({ changes })
      filled.push(filling)
    } catch (thrown) {
      expectFault(thrown)
      live.singlyUpTo = upTo
    }
  }
  return filled
}

const progressed = (live: Live, place: Place): Live['state'] =>
  live.state.rebuild === null ? live.state : { ...live.state, rebuild: { ...live.state.rebuild, ...place } }

const saveProgress = async (tx: DbContext, fillings: readonly Filling[]): Promise<void> => {
  for (const { live, place } of fillings) {
    // oxlint-disable-next-line no-await-in-loop -- the same
    await saveState(tx, live.projection.name, progressed(live, place))
  }
}

const fillWindow = async (parts: Parts, group: readonly Live[], upTo: number): Promise<void> => {
  const { context, skips } = parts
  const fillings = await prepare(context, group, upTo, skips())
  const filled = await context.tx.runInTransaction(async (tx) => {
    const done = await fillAll(tx, fillings, upTo)
    await saveProgress(tx, done)
    return done
  })
  for (const { live, place } of filled) live.state = progressed(live, place)
}

/** What has come since, the swap, and the checkpoints: in one transaction, so that nothing comes between. */
const finish = async (parts: Parts, group: readonly Live[]): Promise<void> => {
  const { context, now, skips } = parts
  try {
    const finished = await context.tx.runInTransaction(async (tx) => {
      const head = await headOf(tx)
      const limit = Math.max(1, head)
      const fillings = await prepare(tx, group, head, skips(), limit)
      const filled = await fillAll(tx, fillings, head)
      await tx.rebuilds.swap({ tables: filled.flatMap(({ live }) => live.projection.tables) })
      const checkpoints = filled.map(({ live }) => ({
        live,
        state: {
          ...live.state,
          rebuild: null,
          checkpoint: { position: head, version: live.projection.version, at: now() }
        }
      }))
      for (const { live, state } of checkpoints) {
        // oxlint-disable-next-line no-await-in-loop -- the same
        await saveCheckpoint(tx, live.projection.name, state.checkpoint)
        // oxlint-disable-next-line no-await-in-loop -- the same
        await saveState(tx, live.projection.name, state)
      }
      return checkpoints
    })
    for (const { live, state } of finished) {
      Object.assign(live, { state, scanned: state.checkpoint.position, failing: null })
      const { rebuilt } = live
      live.rebuilt = null
      rebuilt?.resolve()
    }
  } catch (thrown) {
    expectFault(thrown)
    const [only] = group
    if (group.length > 1) for (const live of group) live.swapsAlone = true
    else if (only !== undefined) await failAsWhole(parts, only, thrown)
  }
}

/** After a failure: the next entry alone. */
const fillOne = async (parts: Parts, live: Live): Promise<void> => {
  const { context, skips } = parts
  const { projection } = live
  const from = placeOf(live)
  const window = await readWindow(context, [projection], from, live.singlyUpTo, 1)
  const [entry]: Entry[] = entriesOf(projection, window, from.write)
  const place = entry === undefined ? { ...from, position: live.singlyUpTo } : placeAfter(from, entry)
  try {
    const changes = entry === undefined ? [] : changesOf(projection, [entry], skips(), createReader())
    await context.tx.runInTransaction(async (tx) => {
      if (changes.length > 0) await tx.rebuilds.apply({ changes })
      await saveProgress(tx, [{ live, changes, place }])
    })
    live.state = progressed(live, place)
    live.failing = null
  } catch (thrown) {
    if (entry === undefined) throw thrown
    await failAt(parts, live, entry, thrown)
  }
}

/** Brings the copies of a group one window further, the last time into the place of their tables. */
export const rebuildStep = async (parts: Parts, group: readonly Live[]): Promise<void> => {
  const [first] = group
  if (first === undefined) return
  if (isSingle(first)) return fillOne(parts, first)
  const { position } = placeOf(first)
  const head = await headOf(parts.context)
  return head - position > WINDOW ? fillWindow(parts, group, position + WINDOW) : finish(parts, group)
}
