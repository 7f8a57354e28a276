import { expose, proxy, transferHandlers } from 'comlink'
import { openShelf } from '../backup/shelf.ts'
import { toWireError } from '../flowforge-error.ts'
import { openReserve } from '../health/reserve.ts'
import { openDbContext } from '../index.ts'
import { MIGRATIONS, type Migration } from '../migrations/migrations.ts'
import type { DbContext, KeptCopy, Row } from '../ports.ts'
import { startCopy } from '../sqlite/copy-database.ts'
import { openMainDatabase, openOnceFree, openOpfsFiles } from '../sqlite/open-database.ts'
import { testWorld } from './store-contract.ts'

/** Opens contexts over OPFS in a dedicated worker, the one place that has sync access handles. */
const api = {
  /** `steps` come after the released ones. */
  open: async (directory: string, steps: readonly Migration[] = []): Promise<DbContext> => {
    const migrations = [...MIGRATIONS, ...steps]
    return proxy(await openDbContext({ storage: 'opfs', directory, migrations, ...testWorld() }))
  },
  /** What stands in the storage that nobody has open. */
  look: async (directory: string): Promise<{ names: string[]; kept: KeptCopy[] }> => {
    const files = await openOpfsFiles(directory)
    const names = files.names()
    const { kept } = await openShelf(files)
    files.close()
    return { names, kept: kept() }
  },
  /** Asks one of the storage's files, which nobody has open. */
  ask: async (directory: string, name: string, sql: string): Promise<Row[]> => {
    const files = await openOpfsFiles(directory)
    const database = await files.open(name)
    try {
      return database.allOnce(sql)
    } finally {
      database.close()
      files.close()
    }
  },
  /** Gives a reserve up while it is being taken; answers with what it says of itself, and what there is. */
  releaseWhileTaken: async (name: string): Promise<{ isTaken: boolean; bytes: number | null }> => {
    const reserve = await openReserve(name, openOnceFree)
    const root = await navigator.storage.getDirectory()
    const sizeNow = (): Promise<number | null> =>
      root.getFileHandle(name).then(
        async (handle) => (await handle.getFile()).size,
        () => null
      )
    const taking = reserve.take()
    // oxlint-disable-next-line no-await-in-loop -- until its first bytes are there
    while (((await sizeNow()) ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve))
    await reserve.release()
    await taking
    return { isTaken: reserve.isTaken(), bytes: await sizeNow() }
  },
  /** Begins a copy of the database and leaves it half done, as a crash would. */
  leaveHalfCopy: async (directory: string, name: string): Promise<void> => {
    const files = await openOpfsFiles(directory)
    const copy = startCopy(await openMainDatabase(files, '/flowforge.db', 'opfs'), await files.open(name))
    copy.step(3)
  }
}
export type OpfsWorkerApi = typeof api

const thrown = transferHandlers.get('throw')
if (thrown === undefined) throw new Error('Comlink has no handler for what is thrown')
transferHandlers.set('throw', {
  ...thrown,
  serialize: (value) => [toWireError(Reflect.get(Object(value), 'value')), []]
})
expose(api)
