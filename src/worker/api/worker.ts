import type { ProxyMarked } from 'comlink'
import { z } from 'zod'
import type { ErrorCode, Event, Row, WireError } from '../../db/ports.ts'
import type { LiveQueryInput, SubscribeInput } from './database.ts'
import { Text, type In } from './parts.ts'
import type { RescueApi } from './rescue.ts'
import type { RunProgress } from './runs.ts'

/** How far the worker has come; the page shows a screen for each. */
export type Boot =
  | { state: 'starting' }
  | { state: 'ready' }
  /** The storage takes long to open; `ready` follows. */
  | { state: 'slow' }
  /** The tab that holds the storage does not answer; it leads since then, ISO-8601 UTC, if it says so. Goes on when it does. */
  | { state: 'no-answer'; since: string | null }
  /** The worker of this very tab does not answer any more; said by its page. Goes on when it does. */
  | { state: 'stuck' }
  /** A tab with an older version of the code carries out a run; this one takes over when that has ended. */
  | { state: 'run-elsewhere' }
  /** A tab with a newer version of the code holds the storage: this one works no more until it is reloaded. */
  | { state: 'outdated' }
  /** Another tab with another version of the code holds the storage; `ready` follows by itself when it lets go. */
  | { state: 'other-tab' }
  /** A backup takes the place of what was there; calls wait, and `ready` follows. */
  | { state: 'restoring' }
  | { state: 'storage-unavailable'; message: string }
  | { state: 'failed'; message: string; code: ErrorCode }

/** One call of the door. Sent again under its id, a command lands once. */
export const DoorCall = z.strictObject({ id: Text, path: z.array(Text).min(2), args: z.unknown() })

/**
 * Events, and the position up to which nothing is missing: whoever goes on later goes on from there, in the same
 * generation, or not at all.
 */
export type LogBatch = {
  readonly events: readonly Event[]
  readonly position: number
  readonly generation: number
}

export type WorkerApi = {
  /** Answers also when the storage does not open; the other calls are refused then. */
  readonly rescue: RescueApi & ProxyMarked
  /** Carries out one of the calls of `db` and `flowforge`. The page makes the id and keeps the call until it is answered. */
  call(call: In<typeof DoorCall>, wasSent: boolean): Promise<unknown>
  /** The page gave this call up: it is not sent to another leader. */
  forget(id: string): Promise<void>
  /** Holds the lock of this name until the worker ends, however that comes; answers when it is held. */
  holdLock(name: string): Promise<void>
  /** Answers as long as the worker is not busy with something that it cannot be interrupted in. */
  ping(): Promise<void>
  /** Calls back now and whenever it changes. */
  onBoot(listener: (boot: Boot) => void): Promise<void>
  /** Rows of a read-only query, now and after each commit that touched a table it reads; answers with a function that ends it. */
  liveQuery(
    args: In<typeof LiveQueryInput>,
    listener: (answer: { rows: Row[] } | { error: { code: string; message: string } }) => void
  ): Promise<() => void>
  /** Events in batches, each handed on when the listener has settled; `onFailure` hears why it ended by itself. */
  subscribe(
    args: In<typeof SubscribeInput>,
    listener: (batch: LogBatch) => unknown,
    onFailure: (error: WireError) => void
  ): Promise<() => void>
  /** Progress of every run, at most ten times a second each. */
  onProgress(listener: (progress: RunProgress) => void): Promise<() => void>
}
