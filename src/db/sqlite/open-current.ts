import { factsOf, type Shelf } from '../backup/shelf.ts'
import { toFlowForgeError } from '../flowforge-error.ts'
import { migrate } from '../migrations/migrate.ts'
import type { Migration } from '../migrations/migrations.ts'
import { copyDatabase } from './copy-database.ts'
import type { DatabaseFiles } from './database-files.ts'
import { openMainDatabase } from './open-database.ts'
import { expectRoom } from './room.ts'
import type { SqliteDatabase } from './sqlite-database.ts'

/** How many copies from before migrations are kept. */
const KEPT_COPIES = 2

type Parts = {
  readonly files: DatabaseFiles
  readonly shelf: Shelf
  readonly storage: 'opfs' | 'memory'
  readonly migrations: readonly Migration[]
  readonly now: () => string
}
type Opened = { readonly database: SqliteDatabase; readonly schemaVersion: number }

const copiesOf = (shelf: Shelf) => shelf.kept().filter(({ kind }) => kind === 'before-migration')

/** Keeps a copy of the database as it is, before a migration touches it. */
const keepCopy = async (parts: Parts, database: SqliteDatabase, newest: number): Promise<void> => {
  const { files, shelf, now } = parts
  const facts = factsOf(database)
  const file = `/before-${newest}.db`
  const known = shelf.kept().find((copy) => copy.file === file)
  // The migration failed before, and nothing has been written since.
  if (known?.logPosition === facts.logPosition && known.schemaVersion === facts.schemaVersion) return
  await expectRoom(facts.bytes, 'Keeping a copy of the database before it is changed')
  if (known !== undefined) await shelf.drop(file)
  const copy = await files.open(file)
  try {
    await copyDatabase(database, copy)
    await shelf.keep(file, 'before-migration', now(), copy)
  } finally {
    copy.close()
  }
}

const openFile = async (parts: Parts, file: string): Promise<Opened> => {
  const { files, shelf, storage, migrations, now } = parts
  const database = await openMainDatabase(files, file, storage)
  try {
    const before = (_found: number, newest: number) => keepCopy(parts, database, newest)
    const schemaVersion = await migrate(database, migrations, now, before)
    await copiesOf(shelf)
      .slice(KEPT_COPIES)
      .reduce((done, copy) => done.then(() => shelf.drop(copy.file)).then(() => undefined), Promise.resolve())
    return { database, schemaVersion }
  } catch (thrown) {
    database.close()
    throw thrown
  }
}

/** Opens the database that the shelf names. A replacement that does not open gives its place back to what was there. */
export const openCurrent = async (parts: Parts): Promise<Opened> => {
  const { shelf } = parts
  if (shelf.current().isSettled) return openFile(parts, shelf.current().file)
  try {
    await shelf.attempt()
    const opened = await openFile(parts, shelf.current().file)
    try {
      // Its first check: it answers, and the log is there.
      factsOf(opened.database)
      await shelf.settle()
      return opened
    } catch (thrown) {
      opened.database.close()
      throw thrown
    }
  } catch (thrown) {
    console.error('What was restored does not open', thrown)
    await shelf.fallBack(`What was restored did not open: ${toFlowForgeError(thrown).message}`)
    return openFile(parts, shelf.current().file)
  }
}
