import { describeBlobStore } from '../../db/contract/blob-store-contract.ts'
import { describeEventStore } from '../../db/contract/event-store-contract.ts'
import { describeProjectionStore } from '../../db/contract/projection-store-contract.ts'
import { testWorld } from '../../db/contract/store-contract.ts'
import { openDbContext, readSqliteFile } from '../../db/index.ts'
import { fromWireError, toWireError, type DbContext } from '../../db/ports.ts'
import type { WireDbApi } from '../api.ts'
import { fromWire } from '../boundary.ts'
import { openComputeEngine } from '../engine/open-compute-engine.ts'
import { startProgram } from '../program.ts'
import { systemWorld } from '../world.ts'
import type { Build } from './build.ts'
import { hostTabs } from './host.ts'
import { joinTabs } from './remote.ts'
import { createSwitchboard } from './switchboard.ts'
import { toTarget } from './target.ts'

/**
 * The contract of every adapter, asked by a tab that follows: each call crosses to the tab that leads and back. What is not
 * at the door is asked of the leader itself: trusted queries, updates and removals of rows, streams and removals of
 * blobs, a snapshot's state version. Transactions are not at the door at all, and their suites not here; nor is the one of
 * appends at once, which compares two databases: one origin has one.
 */
const { newId } = systemWorld
const BUILD: Build = { code: 'this build', schemaVersion: 1, builtAt: '2026-01-02' }

/** Two that lead at once would both answer: the one before goes first, whether its test has closed it or not. */
let endPrevious = (): void => undefined

const openAsFollower = async (): Promise<DbContext> => {
  endPrevious()
  const leader = await openDbContext({ storage: 'memory', ...testWorld() })
  const engine = openComputeEngine({ blobStore: leader.blobStore, readSqliteFile })
  const program = await startProgram({ context: leader, engine, world: systemWorld, baseUrl: '/' })
  const host = hostTabs({
    target: toTarget(program, leader),
    epoch: newId(),
    build: BUILD,
    giveWay: () => ({ isBusy: false })
  })
  const follower = createSwitchboard()
  const leave = await joinTabs({
    tab: newId(),
    build: BUILD,
    newId,
    hear: (news) => {
      if (news.type === 'leads') follower.attach(news.target)
    }
  })
  const end = (): void => {
    follower.detach()
    leave()
    host.end()
  }
  endPrevious = end
  const call = async (name: keyof WireDbApi, args: unknown): Promise<unknown> => {
    try {
      // As a page gives it: a copy, in which nothing but data is left.
      return await follower.call({ id: newId(), path: ['db', name], args: structuredClone(args) }, false)
    } catch (thrown) {
      throw fromWireError(toWireError(thrown))
    }
  }
  const names = [
    'appendEvent',
    'appendEvents',
    'loadEvents',
    'readAll',
    'latestSnapshot',
    'saveSnapshot',
    'queryProjection',
    'upsertProjection',
    'truncateProjection',
    'putBlob',
    'getBlob',
    'statBlob'
  ] as const
  // Each name leads to the handler of that name, whose answer has its type.
  const wire = Object.fromEntries(
    names.map((name) => [name, (args: unknown) => call(name, args)])
  ) as unknown as WireDbApi
  const door = fromWire(wire)
  const { eventStore, projectionStore, blobStore } = leader
  return {
    ...leader,
    eventStore: {
      append: (event) => door.appendEvent({ ...event }),
      appendMany: (events) => door.appendEvents({ events: [...events] }),
      load: (args) => door.loadEvents(args),
      readAll: ({ upToPosition, eventTypes, ...args }) =>
        upToPosition === undefined && eventTypes === undefined
          ? door.readAll(args)
          : eventStore.readAll({ upToPosition, eventTypes, ...args }),
      loadBytes: async (args) => new Uint8Array(await wire.loadEvents(args)),
      readAllBytes: async (args) => new Uint8Array(await wire.readAll(args)),
      latestSnapshot: async (args) => door.latestSnapshot(args),
      // A state's version is the program's own affair.
      saveSnapshot: (args) =>
        args.stateVersion === undefined ? door.saveSnapshot(args) : eventStore.saveSnapshot(args)
    },
    projectionStore: {
      ...projectionStore,
      upsert: ({ table, rows }) => door.upsertProjection({ table, rows: [...rows] }),
      truncate: (args) => door.truncateProjection(args)
    },
    blobStore: {
      ...blobStore,
      put: ({ data, ...args }) =>
        door.putBlob({ ...args, data: data instanceof Blob ? data : new Uint8Array(data) }),
      get: async (args) => {
        const blob = await door.getBlob(args)
        return blob === null ? null : { ...blob, data: new Uint8Array(blob.data) }
      }
    },
    close: async () => {
      end()
      await leader.close()
    }
  }
}

describeEventStore('a tab that follows', openAsFollower)
describeProjectionStore('a tab that follows', openAsFollower)
describeBlobStore('a tab that follows', openAsFollower)
