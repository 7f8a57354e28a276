import { FlowForgeError, toFlowForgeError, type DbContext } from '../../db/ports.ts'
import type { Projection } from '../../workflow/aggregate.ts'
import { createDeferred } from '../deferred.ts'
import type { World } from '../world.ts'
import { followStep, isFollowing } from './follow.ts'
import { parkUnreadable, rest, type Live, type Parts } from './live.ts'
import { beginRebuild, groupsOf, isRebuilding, rebuildStep } from './rebuild.ts'
import { skipKey } from './replay.ts'
import { loadSkips, recordSkip } from './skips.ts'
import { loadStates, NO_STATE, saveState, type ProjectionState, type RebuildProgress } from './states.ts'
import { statusOf, type ProjectionStatus } from './statuses.ts'

/** Keeps the read models in step with the log, and does with them what a person says. */
export type Projections = {
  list(): Promise<ProjectionStatus[]>
  /** @throws FlowForgeError `NOT_FOUND`; `NOT_ALLOWED` for an inline one, which is written with each event */
  pause(name: string): Promise<void>
  resume(name: string): Promise<void>
  /** Tries the event at which it is parked again. */
  retry(name: string): Promise<void>
  /** Leaves out the event at which it is parked, for as long as its definition keeps its version. */
  skip(args: { name: string; eventId: string; by: string }): Promise<void>
  /**
   * Rebuilds one, or all that are not paused; answers when the new rows are in place.
   * @throws FlowForgeError `CONFLICT` where it parks or is paused, `CANCELED` when it is paused meanwhile
   */
  rebuild(name?: string): Promise<void>
  /** Answers when there is nothing left to do. */
  settled(): Promise<void>
  /** Lets go of the log; a step that is under way is finished first. */
  stop(): Promise<void>
}

/** How long commits are gathered before async projections read on, in ms: one batch instead of many. */
const GATHER_MS = 25
/** How long a failing storage is left alone, in ms. */
const STALL_MS = 5_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const hasHeard = async (context: DbContext, { hears }: Projection): Promise<boolean> => {
  const [row] = await context.projectionStore.query({
    sql: 'SELECT EXISTS (SELECT 1 FROM log_index WHERE event_type IN (SELECT value FROM json_each(?))) AS heard',
    params: [JSON.stringify(hears)]
  })
  return Number(row?.['heard']) === 1
}

/** Are there rows of it, or does a direct write say that there were? */
const hasRows = async (context: DbContext, { name, tables }: Projection): Promise<boolean> => {
  const rows = tables.map((table) => `EXISTS (SELECT 1 FROM "${table}")`).join(' OR ')
  const sql = `SELECT ${rows} OR EXISTS (SELECT 1 FROM direct_writes WHERE projection = ?) AS found`
  const [row] = await context.projectionStore.query({ sql, params: [name] })
  return Number(row?.['found']) === 1
}

/** A rebuild that was cut off goes on, unless its copies are gone: they are in no backup. */
const canGoOn = async (context: DbContext, { version, tables }: Projection, rebuild: RebuildProgress) =>
  rebuild.version === version && (await context.rebuilds.isBegun({ tables }))

/**
 * Are its rows of another version than its definition, or missing? Async ones that are new just begin. Where rows have
 * outlived their checkpoint, as in a salvaged database, following would write over what callers wrote there, and leave
 * rows of lost events.
 */
const isOutdated = async (context: DbContext, { projection, state }: Live): Promise<boolean> => {
  if (state.rebuild !== null) return !(await canGoOn(context, projection, state.rebuild))
  if (state.checkpoint !== null) return state.checkpoint.version !== projection.version
  return projection.mode === 'inline' ? hasHeard(context, projection) : hasRows(context, projection)
}

/**
 * Answers as soon as it is known what there is to do: projections whose definition has grown are rebuilt afterwards, and
 * a rebuild that was cut off goes on.
 */
export const startProjections = async (args: {
  context: DbContext
  definitions: readonly Projection[]
  world: Pick<World, 'now'>
  wait?: (ms: number) => Promise<void>
}): Promise<Projections> => {
  const { context, definitions, world, wait = pause } = args
  const states = await loadStates(context)
  const skips = await loadSkips(context)
  const lives = definitions.map((projection): Live => {
    const state = states.get(projection.name) ?? NO_STATE
    const scanned = state.checkpoint?.position ?? 0
    return {
      projection,
      state,
      scanned,
      singlyUpTo: 0,
      swapsAlone: false,
      failing: null,
      isResting: false,
      rebuilt: null
    }
  })

  let isOver = false
  let isBusy = false
  let isStale = false
  let isGathering = false
  const idle: (() => void)[] = []
  let turns: Promise<unknown> = Promise.resolve()

  /** Steps and what a person says come one after the other: neither sees half of the other. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = turns.then(work)
    turns = turn.catch(() => undefined)
    return turn
  }

  const end = (): void => {
    isOver = true
    stopHearing()
  }

  /** A damaged archive segment stays damaged until a person does something. False where not even that can be stored. */
  const hasParked = (group: readonly Live[], error: FlowForgeError): Promise<boolean> =>
    inTurn(() => parkUnreadable(parts, group, error)).then(
      () => true,
      () => false
    )

  /** A storage that fails is no fault of theirs: they try again later. */
  const attempt = async (group: readonly Live[], step: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await inTurn(step)
    } catch (thrown) {
      if (isOver) return false
      const error = toFlowForgeError(thrown)
      if (error.code === 'STORAGE_UNAVAILABLE') {
        // It was closed, and does not come back: whoever opens it next goes on.
        end()
        return false
      }
      if (error.code === 'CORRUPT' && (await hasParked(group, error))) return false
      const names = group.map(({ projection }) => projection.name).join(', ')
      console.error(`The projections ${names} cannot go on for now`, error)
      for (const live of group) rest(parts, live, STALL_MS)
      return false
    }
  }

  const round = async (): Promise<boolean> => {
    let hasMore = false
    for (const live of lives.filter(isFollowing)) {
      // oxlint-disable-next-line no-await-in-loop -- in turn, and each a batch, so that writers come between
      if (await attempt([live], () => followStep(parts, live))) hasMore = true
    }
    for (const group of groupsOf(lives.filter(isRebuilding))) {
      // oxlint-disable-next-line no-await-in-loop -- the same
      if (await attempt(group, () => rebuildStep(parts, group.filter(isRebuilding)).then(() => true)))
        hasMore = true
    }
    return hasMore
  }

  const work = async (): Promise<void> => {
    isBusy = true
    do {
      isStale = false
      // oxlint-disable-next-line no-await-in-loop -- until nothing is left
      while (!isOver && (await round()));
    } while (isStale && !isOver)
    isBusy = false
    for (const tell of idle.splice(0)) tell()
  }
  const wake = (): void => {
    isStale = true
    if (!isBusy && !isOver) void work()
  }
  const parts: Parts = { context, now: world.now, wait, skips: () => skips, wake }

  const stopHearing = context.onCommit(({ tables }) => {
    if (isOver || isGathering || !tables.has('events')) return
    isGathering = true
    void wait(GATHER_MS).then(() => {
      isGathering = false
      wake()
    })
  })

  const liveOf = (name: string): Live => {
    const live = lives.find(({ projection }) => projection.name === name)
    if (live !== undefined) return live
    const names = lives.map(({ projection }) => projection.name)
    throw new FlowForgeError(
      'NOT_FOUND',
      `There is no projection "${name}". There are ${names.join(', ')}.`,
      {
        projection: name
      }
    )
  }

  /** Stores what a person made of a state. */
  const change = async (live: Live, changed: Partial<ProjectionState>): Promise<void> => {
    const state = { ...live.state, ...changed }
    await saveState(context, live.projection.name, state)
    live.state = state
    live.failing = null
  }

  const asynchronous = (name: string): Live => {
    const live = liveOf(name)
    if (live.projection.mode === 'async') return live
    const message = `The projection "${name}" is written with each event, in the same transaction. It cannot be paused.`
    throw new FlowForgeError('NOT_ALLOWED', message, { projection: name })
  }

  const rebuildAll = async (chosen: readonly Live[]): Promise<void> => {
    const ends = await inTurn(async () => {
      for (const live of chosen) {
        live.rebuilt ??= createDeferred<void>()
        // Whoever asked may not wait for it.
        live.rebuilt.promise.catch(() => undefined)
        // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
        if (live.state.rebuild === null || live.state.parked !== null) await beginRebuild(parts, live)
      }
      return chosen.map(({ rebuilt }) => rebuilt?.promise)
    })
    wake()
    await Promise.all(ends)
  }

  for (const live of lives) {
    // oxlint-disable-next-line no-await-in-loop -- the same
    if (await isOutdated(context, live)) await beginRebuild(parts, live)
  }
  wake()

  return {
    list: () => Promise.all(lives.map((live) => statusOf(context, live))),
    pause: (name) =>
      inTurn(async () => {
        const live = asynchronous(name)
        if (live.state.pausedAt === null) await change(live, { pausedAt: world.now() })
        const { rebuilt } = live
        live.rebuilt = null
        rebuilt?.reject(new FlowForgeError('CANCELED', `"${name}" was paused; its rebuild goes on with it.`))
      }),
    resume: async (name) => {
      await inTurn(async () => {
        const live = asynchronous(name)
        if (live.state.pausedAt !== null) await change(live, { pausedAt: null })
      })
      wake()
    },
    retry: async (name) => {
      await inTurn(async () => {
        const live = liveOf(name)
        if (live.state.parked !== null) await change(live, { parked: null })
      })
      wake()
    },
    skip: async ({ name, eventId, by }) => {
      await inTurn(async () => {
        const live = liveOf(name)
        const { projection, state } = live
        // Said twice, by a call that was sent again.
        if (skips.has(skipKey(projection, eventId)) && state.parked?.eventId !== eventId) return
        if (state.parked === null || state.parked.eventId !== eventId) {
          const message = `The projection "${name}" does not stand still at this event. Look again before you skip.`
          throw new FlowForgeError('CONFLICT', message, { projection: name, eventId, parked: state.parked })
        }
        const { parked } = state
        await context.tx.runInTransaction(async (tx) => {
          await recordSkip(tx, projection, { ...parked, eventId, by, at: world.now() })
          await saveState(tx, name, { ...state, parked: null })
        })
        skips.add(skipKey(projection, eventId))
        live.state = { ...state, parked: null }
        live.failing = null
      })
      wake()
    },
    rebuild: async (name) => {
      if (name === undefined) return rebuildAll(lives.filter(({ state }) => state.pausedAt === null))
      const live = liveOf(name)
      if (live.state.pausedAt === null) return rebuildAll([live])
      throw new FlowForgeError('CONFLICT', `"${name}" is paused. Resume it, then rebuild it.`, {
        projection: name
      })
    },
    settled: () =>
      new Promise((resolve) => {
        if (isOver) return resolve()
        idle.push(resolve)
        wake()
      }),
    stop: async () => {
      end()
      await turns
    }
  }
}
