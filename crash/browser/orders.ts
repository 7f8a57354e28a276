import type { Stored } from '../history/history.ts'

/** An event as a page is told to append it. */
export type OrderedEvent = {
  readonly id: string
  readonly aggregateId: string
  readonly eventType: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly expectedSeq?: number
}

/** What a page is told to do; `index` names it, and `waits` has the page do nothing else until it is answered. */
export type Order = { readonly index: number; readonly waits: boolean } & (
  | { readonly kind: 'append'; readonly events: readonly OrderedEvent[] }
  | { readonly kind: 'load'; readonly aggregateId: string }
  | { readonly kind: 'row'; readonly key: string; readonly name: string }
  | { readonly kind: 'snapshot'; readonly aggregateId: string; readonly lastSeq: number }
  /** Bytes that are all the same. */
  | { readonly kind: 'blob'; readonly key: string; readonly size: number; readonly fill: number }
  | { readonly kind: 'rebuild'; readonly projection: string | null }
  | { readonly kind: 'backup' }
  /** Archives what has ended, perhaps into a folder, and perhaps brings the newest segment back. */
  | { readonly kind: 'archive'; readonly isIntoFolder: boolean; readonly bringsBack: boolean }
  /** Makes a backup, appends, and restores the backup: the log ends before what was appended, or with it. */
  | { readonly kind: 'restore'; readonly marker: Extract<Order, { kind: 'append' }> }
)

/** How one order ended, with the page's times in ms of the machine's clock. */
export type Told = {
  readonly index: number
  readonly invokedAt: number
  readonly at: number
  readonly outcome:
    | { readonly kind: 'answered'; readonly events: readonly Stored[] }
    | {
        readonly kind: 'failed'
        readonly code: string
        readonly message: string
        readonly actualSeq?: number
      }
}

/** Values whose keys a check asks for. */
export type Keys = {
  readonly row: readonly string[]
  readonly blob: readonly string[]
  readonly snapshot: readonly string[]
}

/** Everything that is stored, as a page finds it through the door; `problems` are those that it can see by itself. */
export type Found = {
  readonly log: readonly Stored[]
  readonly values: Readonly<Record<keyof Keys, readonly (string | null)[]>>
  readonly problems: readonly string[]
  /** What this page's subscription was told since the page opened. */
  readonly heard: readonly Stored[]
}

/** What a page of the harness offers to it. */
export type Harness = {
  /** Starts on orders without waiting for them; how each ends is told to the server. */
  work(orders: readonly Order[]): void
  /** Starts on appending numbered events, some of them at once; each answer is told of as `appended`. */
  append(aggregateId: string, count: number): void
  role(): Promise<string>
  /** Answers when every order has been told of. */
  settled(): Promise<void>
  /** Answers when the program is ready. */
  ready(): Promise<void>
  /** Checks what a page can check, and hands out what it finds. */
  verify(keys: Keys, rebuilds: boolean): Promise<Found>
  /** How far the program has come, and what the page's console was told. */
  said(): string
  /** Answers when it is dead. */
  killWorker(): Promise<void>
  /** Puts a database of an earlier schema where the program will look for its own. Before any page of the program is open. */
  plant(url: string): Promise<readonly Stored[]>
  /** SQLite's own full check of the file. No page of the program may be open. */
  examine(): Promise<readonly string[]>
}

declare global {
  interface Window {
    readonly harness: Harness
  }
}
