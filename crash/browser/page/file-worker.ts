/** Handles the database's file while no program has it open. */
import { expose } from 'comlink'
import { openShelf } from '../../../src/db/backup/shelf.ts'
import { openOpfsFiles } from '../../../src/db/sqlite/open-database.ts'
import { toStored } from '../../simulation/facts.ts'
import type { Stored } from '../../history/history.ts'
import { EVENTS } from './stored-events.ts'

const api = {
  plant: async (bytes: Blob): Promise<readonly Stored[]> => {
    const files = await openOpfsFiles()
    await files.write('/flowforge.db', bytes.stream())
    const database = await files.open('/flowforge.db')
    try {
      return EVENTS.fromRows(database.allOnce(EVENTS.sql)).map(toStored)
    } finally {
      database.close()
      files.close()
    }
  },
  examine: async (): Promise<readonly string[]> => {
    const files = await openOpfsFiles()
    const database = await files.open((await openShelf(files)).current().file)
    try {
      const integrity = database
        .allOnce('PRAGMA integrity_check')
        .map((row) => String(row['integrity_check']))
        .filter((message) => message !== 'ok')
      const keys = database.allOnce('PRAGMA foreign_key_check').map((row) => JSON.stringify(row))
      return [
        ...integrity.map((each) => `integrity: ${each}`),
        ...keys.map((each) => `foreign key: ${each}`)
      ].slice(0, 5)
    } finally {
      database.close()
      files.close()
    }
  }
}
export type FileWorker = typeof api
expose(api)
