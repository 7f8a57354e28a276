import { FlowForgeError } from '../flowforge-error.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import type { Transactions } from './transactions.ts'

/** Tells how far the log has come, and waits for it to come further. */
export const followPosition = (database: SqliteDatabase, transactions: Transactions) => {
  const logPosition = (): number =>
    Number(database.all('SELECT coalesce(max(position), 0) AS position FROM events')[0]?.['position'])

  const waitFor = (position: number, timeoutMs: number): Promise<void> => {
    if (position === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop()
        const message = `The log did not reach position ${position} within ${timeoutMs} ms.`
        reject(new FlowForgeError('TIMEOUT', message, { position, timeoutMs }))
      }, timeoutMs)
      const look = (): void => {
        if (logPosition() < position) return
        clearTimeout(timer)
        stop()
        resolve()
      }
      const stop = transactions.onCommit(look)
      transactions.whenNoneIsOpen(look)
    })
  }
  return { logPosition, waitFor }
}
