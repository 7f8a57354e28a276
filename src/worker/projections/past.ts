import { FlowForgeError, toFlowForgeError, type DbContext, type Past, type Row } from '../../db/ports.ts'
import type { Projection } from '../../workflow/aggregate.ts'
import {
  changesOf,
  createReader,
  entriesOf,
  headOf,
  idOf,
  readWindow,
  WINDOW,
  type Entry,
  type Skips
} from './replay.ts'
import { loadSkips } from './skips.ts'

/** A projection that could not follow the log up to the position asked for, and why. */
export type Stopped = { projection: string; position: number; eventId: string; error: string }
export type StateAt = {
  /** The position asked for, or the log's end where that lies before it. */
  position: number
  rows: Row[]
  /** Of the projections that were read. */
  stopped: Stopped[]
}

/** Answers what stood in the read models after an event of the log. */
export type History = {
  /** @throws FlowForgeError as `read` does; `NOT_ALLOWED` for a table that is no projection's */
  stateAt(args: { position: number; sql: string; params?: readonly unknown[] | undefined }): Promise<StateAt>
  /** Frees what was built. */
  forget(): Promise<void>
}

/** How long a built state is kept for the next question, in ms. */
const KEPT_MS = 60_000

type Member = { readonly projection: Projection; write: number; stopped: Stopped | null }
type Built = { readonly past: Past; position: number; readonly members: readonly Member[] }

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const stopAt = ({ projection }: Member, entry: Entry, thrown: unknown): Stopped => ({
  projection: projection.name,
  position: entry.position,
  eventId: idOf(entry),
  error: toFlowForgeError(thrown).message
})

/**
 * Builds every projection as of a position, in memory, from the log and from what callers wrote between its events. The
 * last state is kept for a while: a later position goes on from it. Between its batches everybody else has a turn.
 */
export const createHistory = (args: {
  context: DbContext
  definitions: readonly Projection[]
  wait?: (ms: number) => Promise<void>
}): History => {
  const { context, definitions, wait = pause } = args
  const tables = definitions.flatMap((definition) => definition.tables)
  const readable = new Set([...tables, ...definitions.flatMap(({ views = [] }) => views)])
  let built: Built | null = null
  let turns: Promise<unknown> = Promise.resolve()
  let uses = 0

  const forget = async (): Promise<void> => {
    const old = built
    built = null
    await old?.past.close()
  }

  const begin = async (): Promise<Built> => {
    await forget()
    const members = definitions.map((projection): Member => ({ projection, write: 0, stopped: null }))
    return { past: await context.openPast({ tables }), position: 0, members }
  }

  /** One projection's part of a window; where an entry fails, those before it are in. */
  const fill = async (
    past: Past,
    member: Member,
    entries: readonly Entry[],
    skips: Skips,
    read: ReturnType<typeof createReader>
  ) => {
    const fillWith = async (some: readonly Entry[]): Promise<void> => {
      const changes = changesOf(member.projection, some, skips, read)
      if (changes.length > 0) await past.apply({ changes })
    }
    try {
      await fillWith(entries)
    } catch {
      for (const entry of entries) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- in order, to find the one that fails
          await fillWith([entry])
        } catch (thrown) {
          member.stopped = stopAt(member, entry, thrown)
          return
        }
      }
    }
  }

  const advance = async (state: Built, upTo: number, skips: Skips): Promise<void> => {
    const going = state.members.filter(({ stopped }) => stopped === null)
    const from = { position: state.position, write: Math.min(...going.map(({ write }) => write)) }
    const window = await readWindow(
      context,
      going.map(({ projection }) => projection),
      from,
      upTo
    )
    const read = createReader()
    for (const member of going) {
      const entries = entriesOf(member.projection, window, member.write)
      // oxlint-disable-next-line no-await-in-loop -- one after the other, with turns for others between
      await fill(state.past, member, entries, skips, read)
      for (const entry of entries) if (entry.kind === 'write') member.write = entry.write.id
    }
    state.position = upTo
  }

  const build = async (position: number): Promise<Built> => {
    const state = built !== null && built.position <= position ? built : await begin()
    // Until it is whole nobody may go on from it.
    built = null
    try {
      const skips = await loadSkips(context)
      do {
        // oxlint-disable-next-line no-await-in-loop -- window after window
        await advance(state, Math.min(position, state.position + WINDOW), skips)
      } while (state.position < position)
    } catch (thrown) {
      await state.past.close()
      throw thrown
    }
    built = state
    return state
  }

  const expectProjections = async (read: readonly string[]): Promise<void> => {
    const known = await context.projectionStore.query({ sql: 'SELECT name FROM sqlite_schema' })
    const real = new Set(known.map((row) => String(row['name'])))
    const other = read.find((table) => real.has(table) && !readable.has(table))
    if (other === undefined) return
    const message = `The past holds the rows of projections alone, and "${other}" is none of theirs. Ask for ${[...readable].join(', ')}.`
    throw new FlowForgeError('NOT_ALLOWED', message, { table: other })
  }

  const ask: History['stateAt'] = async ({ position, sql, params }) => {
    const { past, members, ...at } = await build(Math.min(position, await headOf(context)))
    const answer = await past.read({ sql, params })
    await expectProjections(answer.tables)
    const stopped = members.flatMap((member) =>
      member.stopped !== null && member.projection.tables.some((table) => answer.tables.includes(table))
        ? [member.stopped]
        : []
    )
    return { position: at.position, rows: answer.rows, stopped }
  }

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = turns.then(work)
    turns = turn.catch(() => undefined)
    return turn
  }

  return {
    stateAt: (question) => {
      const use = ++uses
      const answer = inTurn(() => ask(question))
      const freeLater = (): void => {
        void wait(KEPT_MS).then(() => (use === uses ? inTurn(forget) : undefined))
      }
      answer.then(freeLater, freeLater)
      return answer
    },
    forget: () => inTurn(forget)
  }
}
