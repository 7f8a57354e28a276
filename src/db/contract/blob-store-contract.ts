import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DbContext } from '../ports.ts'
import type { OpenContext } from './store-contract.ts'

const bytes = (size: number, seed = 1): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: size }, (_, index) => (index * 31 + seed) % 251)

const streamOf = (...chunks: Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    }
  })

const hexOf = async (data: Uint8Array<ArrayBuffer>): Promise<string> =>
  [...new Uint8Array(await crypto.subtle.digest('SHA-256', data))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')

const SMALL = 100
const LARGE = 600_000

/** What every adapter's blob store does, for bytes that stand in a row and for bytes that stand in a file. */
export const describeBlobStore = (title: string, open: OpenContext): void => {
  describe(`${title}: blob store`, () => {
    let context: DbContext
    beforeEach(async () => {
      context = await open()
    })
    afterEach(async () => {
      await context.close()
    })
    const get = async (key: string) => (await context.blobStore.get({ key }))?.data

    test.each([0, SMALL, LARGE])('%d bytes come back as they were, with their type', async (size) => {
      const data = bytes(size)
      await context.blobStore.put({ key: 'k', data, contentType: 'text/csv' })
      expect(await context.blobStore.get({ key: 'k' })).toEqual({ data, contentType: 'text/csv' })
      expect(await context.blobStore.stat({ key: 'k' })).toEqual({
        size,
        contentType: 'text/csv',
        sha256: await hexOf(data)
      })
      const opened = await context.blobStore.open({ key: 'k' })
      expect(new Uint8Array((await opened?.arrayBuffer()) ?? new ArrayBuffer(1))).toEqual(data)
    })

    test('a Blob is stored as its bytes', async () => {
      await context.blobStore.put({ key: 'k', data: new Blob(['hello'], { type: 'text/plain' }) })
      expect(await context.blobStore.get({ key: 'k' })).toEqual({
        data: new TextEncoder().encode('hello'),
        contentType: 'text/plain'
      })
    })

    test('what is not there is null', async () => {
      expect(await context.blobStore.get({ key: 'none' })).toBeNull()
      expect(await context.blobStore.stat({ key: 'none' })).toBeNull()
      expect(await context.blobStore.open({ key: 'none' })).toBeNull()
    })

    test.each([
      [SMALL, LARGE],
      [LARGE, SMALL],
      [LARGE, LARGE + 1]
    ])('%d bytes are replaced by %d', async (before, after) => {
      await context.blobStore.put({ key: 'k', data: bytes(before) })
      await context.blobStore.put({ key: 'k', data: bytes(after, 2) })
      expect(await get('k')).toEqual(bytes(after, 2))
    })

    test('a stream is stored under its hash', async () => {
      const data = bytes(LARGE)
      const stored = await context.blobStore.putStream({
        prefix: 'sources/',
        stream: streamOf(data.subarray(0, 1_000), data.subarray(1_000)),
        contentType: 'text/csv'
      })
      const facts = { key: `sources/${await hexOf(data)}`, size: LARGE, sha256: await hexOf(data) }
      expect(stored).toEqual({ ...facts, isNew: true })
      expect(await get(stored.key)).toEqual(data)
      const again = await context.blobStore.putStream({ prefix: 'sources/', stream: streamOf(data) })
      expect(again).toEqual({ ...facts, isNew: false })
    })

    test('a stream that breaks leaves nothing', async () => {
      const broken = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          controller.error(new Error('unplugged'))
        }
      })
      await expect(context.blobStore.putStream({ prefix: 'sources/', stream: broken })).rejects.toThrow(
        'unplugged'
      )
      expect(await context.projectionStore.query({ sql: 'SELECT key FROM blobs' })).toEqual([])
    })

    test('the last key of a file is removed while another comes to share it', async () => {
      for (let seed = 1; seed <= 10; seed += 1) {
        const data = bytes(LARGE, seed)
        await context.blobStore.put({ key: 'old', data })
        const put = context.blobStore.put({ key: `new ${seed}`, data })
        for (let turns = 0; turns < seed; turns += 1) await context.facts()
        await Promise.all([put, context.blobStore.remove({ key: 'old' })])
        expect(await get(`new ${seed}`)).toHaveLength(LARGE)
      }
    })

    test('keys of the same bytes share a file, until the last is removed', async () => {
      const data = bytes(LARGE)
      const first = await context.blobStore.putStream({ prefix: 'a/', stream: streamOf(data) })
      const second = await context.blobStore.putStream({ prefix: 'b/', stream: streamOf(data) })
      await context.blobStore.remove({ key: first.key })
      expect(await get(first.key)).toBeUndefined()
      expect(await get(second.key)).toEqual(data)
      await context.blobStore.remove({ key: second.key })
      expect(await get(second.key)).toBeUndefined()
    })
  })
}

/** Blobs within transactions, where a function can be handed to the adapter. */
export const describeBlobTransactions = (title: string, open: OpenContext): void => {
  describe(`${title}: blobs in transactions`, () => {
    let context: DbContext
    beforeEach(async () => {
      context = await open()
    })
    afterEach(async () => {
      await context.close()
    })
    const get = async (key: string) => (await context.blobStore.get({ key }))?.data

    test.each(['remove', 'replace'] as const)('a rolled back %s leaves the bytes there', async (how) => {
      await context.blobStore.put({ key: 'k', data: bytes(LARGE) })
      const attempt = context.tx.runInTransaction(async (tx) => {
        if (how === 'remove') await tx.blobStore.remove({ key: 'k' })
        else await tx.blobStore.put({ key: 'k', data: bytes(LARGE, 2) })
        throw new Error('no')
      })
      await expect(attempt).rejects.toThrow('no')
      expect(await get('k')).toEqual(bytes(LARGE))
    })

    test.each([SMALL, LARGE])(
      '%d bytes are put within a transaction through the outer context',
      async (size) => {
        const within = (fails: boolean) =>
          context.tx.runInTransaction(async () => {
            await context.blobStore.put({ key: 'k', data: bytes(size) })
            await context.blobStore.put({ key: 'l', data: bytes(size) })
            expect((await context.blobStore.get({ key: 'l' }))?.data).toEqual(bytes(size))
            if (fails) throw new Error('no')
          })
        await expect(within(true)).rejects.toThrow('no')
        expect(await get('k')).toBeUndefined()
        await within(false)
        expect(await get('k')).toEqual(bytes(size))
      }
    )
  })
}
