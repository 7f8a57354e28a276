import { createSHA256 } from 'hash-wasm'
import type { Row } from '../ports.ts'
import { EVENT_COLUMNS } from './event-rows.ts'

export const HASH_BYTES = 32

/** What a seal says of the events that it holds, beside their hashes. */
export type SealHeader = {
  readonly firstPosition: number
  readonly lastPosition: number
  readonly eventCount: number
  readonly previousSha256: string | null
  readonly sealedAt: string
}

/** Hashes without awaiting, once it is there. */
export type ChainHashes = {
  /** SHA-256 of the UTF-8 of `JSON.stringify` of the event's columns in the table's order, its position among them. */
  ofEvent(row: Row): Uint8Array
  /** In hex: SHA-256 of the UTF-8 of the header's JSON, and then of the events' hashes. */
  ofSeal(header: SealHeader, eventHashes: Uint8Array): string
}

export const createChainHashes = async (): Promise<ChainHashes> => {
  const hash = await createSHA256()
  return {
    ofEvent: (row) =>
      hash
        .init()
        .update(JSON.stringify(EVENT_COLUMNS.map((column) => row[column])))
        .digest('binary'),
    ofSeal: ({ firstPosition, lastPosition, eventCount, previousSha256, sealedAt }, eventHashes) =>
      hash
        .init()
        .update(
          JSON.stringify([
            'flowforge.seal/1',
            previousSha256,
            firstPosition,
            lastPosition,
            eventCount,
            sealedAt
          ])
        )
        .update(eventHashes)
        .digest('hex')
  }
}

/** A seal's hashes one after the other. */
export const splitHashes = (eventHashes: Uint8Array): Uint8Array[] =>
  Array.from({ length: eventHashes.byteLength / HASH_BYTES }, (_, index) =>
    eventHashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)
  )

export const joinHashes = (hashes: readonly Uint8Array[]): Uint8Array => {
  const joined = new Uint8Array(hashes.length * HASH_BYTES)
  hashes.forEach((hash, index) => joined.set(hash, index * HASH_BYTES))
  return joined
}

export const isSameHash = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  one !== undefined && other !== undefined && one.every((byte, index) => byte === other[index])
