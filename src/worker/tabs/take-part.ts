import type { Boot } from '../api.ts'
import type { Gate } from '../gate.ts'
import { STORAGE_LOCK, holdLock, tryLock, type Release } from '../locks.ts'
import type { World } from '../world.ts'
import type { Build } from './build.ts'
import { createDrainable } from './drain.ts'
import { createGiveWay } from './give-way.ts'
import { hostTabs, type Host } from './host.ts'
import { leaderName, leadsSince, toEpoch } from './messages.ts'
import { joinTabs, type LeaderNews } from './remote.ts'
import { createReplaceable } from './replaceable.ts'
import type { Switchboard } from './switchboard.ts'
import type { Target } from './target.ts'

/** The storage and the program over it, open in this worker. */
export type Opened = {
  readonly target: Target
  /** What must not be cut off is going on: the promise of its end; null where nothing is. */
  readonly busy: () => Promise<void> | null
  readonly close: () => Promise<void>
}

type Parts = {
  readonly build: Build
  readonly world: World
  readonly switchboard: Switchboard
  readonly gate: Gate
  /** @param onReplaced to be called when a restore is about to replace the storage under the program */
  readonly open: (onReplaced: () => void) => Promise<Opened>
  /** Does ahead what opening takes. */
  readonly prepare: () => void
  /** Told when storage does not open again after a restore. */
  readonly onFailure: (thrown: unknown) => void
  /** How long somebody may wait in silence, in ms. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 5_000

/** Tells, unless it is ended before, that something takes long. */
const createPatience = (ms: number, tell: () => void): { begin: () => void; end: () => void } => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = (): void => clearTimeout(timer)
  return {
    begin: () => {
      end()
      timer = setTimeout(tell, ms)
    },
    end
  }
}

/**
 * Leads, if nobody does; otherwise works through the tab that leads, and waits to be the next. Answers when this worker
 * leads, or never will. @throws what `open` throws
 */
export const takePart = async (parts: Parts): Promise<void> => {
  const { build, world, switchboard, gate, open, prepare, onFailure, patienceMs = PATIENCE_MS } = parts

  /** Answers with the lock, or with null where a newer build leads: this one never will. */
  const follow = async (): Promise<Release | null> => {
    let isOutdated = false
    let queueing = new AbortController()
    let isUnanswered = false
    const tellUnanswered = async (): Promise<void> => {
      isUnanswered = true
      const since = await leadsSince()
      // It may have answered meanwhile.
      if (isUnanswered) gate.tell({ state: 'no-answer', since })
    }
    const patience = createPatience(patienceMs, () => void tellUnanswered())
    const wait = (boot: Boot): void => {
      switchboard.detach()
      gate.tell(boot)
    }
    const hear = (news: LeaderNews): void => {
      patience.end()
      isUnanswered = false
      switch (news.type) {
        case 'silent':
          void tellUnanswered()
          return
        case 'answers':
          gate.tell({ state: 'ready' })
          return
        case 'leads':
          switchboard.attach(news.target)
          gate.tell({ state: 'ready' })
          return
        case 'gone':
          wait({ state: 'starting' })
          patience.begin()
          return
        case 'older':
          wait({ state: 'starting' })
          patience.begin()
          return
        case 'busy':
          wait({ state: 'run-elsewhere' })
          return
        case 'foreign':
          gate.tell({ state: 'other-tab' })
          return
        case 'newer':
          isOutdated = true
          queueing.abort()
          gate.tell({ state: 'outdated' })
          return
        case 'replaced':
          wait({ state: 'restoring' })
          patience.begin()
          return
        case 'giving-way':
          queueing.abort()
      }
    }

    prepare()
    patience.begin()
    const leave = await joinTabs({ tab: world.newId(), build, newId: world.newId, hear, pulseMs: patienceMs })
    let release: Release | null = null
    while (release === null && !isOutdated) {
      queueing = new AbortController()
      const { signal } = queueing
      // oxlint-disable-next-line no-await-in-loop -- whoever lets a newer tab pass waits again, behind it
      release = await holdLock(STORAGE_LOCK, { signal }).catch((thrown: unknown) => {
        if (signal.aborted) return null
        throw thrown
      })
    }
    patience.end()
    isUnanswered = false
    // Its last words to the leader before go over the channel that is closed then.
    switchboard.detach()
    leave()
    return release
  }

  const lead = async (release: Release): Promise<void> => {
    const epoch = toEpoch(world.now(), world.newId())
    const patience = createPatience(patienceMs, () => gate.tell({ state: 'slow' }))
    const resign = await holdLock(leaderName(epoch))
    const letGo = (): void => {
      resign()
      release()
    }
    gate.tell({ state: 'starting' })
    patience.begin()
    try {
      let host: Host | null = null
      const replaceable = createReplaceable({
        onReplaced: () => {
          switchboard.detach()
          gate.tell({ state: 'restoring' })
        },
        reopen: async () => {
          host?.replaced()
          host?.end()
          await opened.close()
          resign()
          await lead(release)
        },
        onFailure
      })
      const opened = await open(replaceable.replaced)
      const target = createDrainable(replaceable.guard(opened.target))
      const giveWay = createGiveWay({
        busy: opened.busy,
        stopTaking: (to) => {
          host?.close(to)
          switchboard.detach()
        },
        drained: target.drained,
        end: async () => {
          // The channels before the database: nobody may be told what is not there any more.
          host?.end()
          await opened.close()
          letGo()
          gate.tell({ state: 'outdated' })
        }
      })
      switchboard.attach(target)
      gate.tell({ state: 'ready' })
      host = hostTabs({ target, epoch, build, giveWay })
    } catch (thrown) {
      // Another tab may be able to open what this one cannot.
      letGo()
      throw thrown
    } finally {
      patience.end()
    }
  }

  const release = (await tryLock(STORAGE_LOCK)) ?? (await follow())
  if (release !== null) await lead(release)
}
