import { z } from 'zod'
import { ERROR_CODES } from '../../db/ports.ts'
import { Build } from './build.ts'

/** The channel on which tabs find the one that leads; what they ask of it goes over a channel of each tab's own. */
export const TABS_CHANNEL = 'flowforge-tabs'

/**
 * The name of a lock that a leader holds from before it opens the storage until it has gone. Others see in it who leads,
 * also when it does not answer.
 */
export const leaderName = (epoch: string): string => `${LEADER} ${epoch}`
const LEADER = 'flowforge-leader'

/** Names a leader: since when (ISO-8601 UTC) it leads, and who it is. */
export const toEpoch = (since: string, id: string): string => `${since} ${id}`

/** Since when the tab leads that does now, ISO-8601 UTC; null where it does not say so. */
export const leadsSince = async (locks: LockManager = navigator.locks): Promise<string | null> => {
  const { held = [] } = await locks.query()
  const name = held.map((lock) => lock.name ?? '').find((each) => each.startsWith(`${LEADER} `))
  return name?.split(' ')[1] ?? null
}

/** The name of a tab's own channel, and of the lock that it holds as long as it lives. */
export const tabName = (tab: string): string => `flowforge-tab-${tab}`

const Id = z.string().min(1)
const Wire = z.object({
  name: z.literal('FlowForgeError'),
  code: z.enum(ERROR_CODES),
  message: z.string(),
  details: z.record(z.string(), z.unknown())
})

/** What is said on the common channel. */
export const Announcement = z.discriminatedUnion('type', [
  /** A tab asks for the leader; answered with `welcome` on the tab's own channel, by a leader that is ready. */
  z.object({ type: z.literal('hello'), tab: Id }),
  /** A leader is ready; every other tab says hello. */
  z.object({ type: z.literal('leader') }),
  /** The leader gives way to a newer build; who is older waits for the lock behind it. */
  z.object({ type: z.literal('giving-way'), to: Build }),
  /** A restore puts another history in the place of this one; `leader` follows. */
  z.object({ type: z.literal('replaced') }),
  /** A person's word: every page looks whether its own worker still answers, and starts another where it does not. */
  z.object({ type: z.literal('look') })
])

/** What a tab says to the leader on its own channel. The epoch names the leader that is meant: another one drops it. */
export const Request = z.discriminatedUnion('type', [
  z.object({ type: z.literal('call'), epoch: Id, id: Id, path: z.array(z.string()), args: z.unknown() }),
  z.object({
    type: z.literal('follow'),
    epoch: Id,
    id: Id,
    what: z.enum(['rows', 'log', 'progress']),
    args: z.unknown()
  }),
  /** The listener has settled: the next may come. */
  z.object({ type: z.literal('heard'), epoch: Id, id: Id }),
  z.object({ type: z.literal('unfollow'), epoch: Id, id: Id }),
  /** Answered with `pong` by a leader that still works. */
  z.object({ type: z.literal('ping'), epoch: Id }),
  /** A newer build asks the leader to finish what is under way and let go. */
  z.object({ type: z.literal('give-way'), epoch: Id, to: Build })
])

/** What the leader says to a tab. */
export const Reply = z.discriminatedUnion('type', [
  /**
   * `build` is the leader's code: tabs with another one do not speak with it. The first release said no more; `order` has
   * the rest of the build, and says that the leader knows `give-way`.
   */
  z.object({ type: z.literal('welcome'), epoch: Id, build: z.string(), order: Build.optional() }),
  /** It gives way when the run has ended that is under way. */
  z.object({ type: z.literal('busy'), epoch: Id }),
  z.object({ type: z.literal('pong'), epoch: Id }),
  z.object({ type: z.literal('answer'), epoch: Id, id: Id, value: z.unknown() }),
  z.object({ type: z.literal('refusal'), epoch: Id, id: Id, error: Wire }),
  z.object({ type: z.literal('told'), epoch: Id, id: Id, value: z.unknown() }),
  z.object({ type: z.literal('failed'), epoch: Id, id: Id, error: Wire })
])

export const isLook = (said: unknown): boolean => {
  const parsed = Announcement.safeParse(said)
  return parsed.success && parsed.data.type === 'look'
}

export type Announcement = z.infer<typeof Announcement>
export type Request = z.infer<typeof Request>
export type Reply = z.infer<typeof Reply>
