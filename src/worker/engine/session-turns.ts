import type { Session } from './session.ts'

/**
 * A session that several use at a time: it answers one query after the other, so each call takes its turn, and an answer
 * that is streamed keeps it until its last row was read or its reader has gone.
 */
export const takingTurns = (session: Session): Session => {
  let last: Promise<void> = Promise.resolve()

  /** Waits for its turn; answers with how to give it up. */
  const turn = async (): Promise<() => void> => {
    const before = last
    let end = (): void => undefined
    last = new Promise((resolve) => {
      end = resolve
    })
    await before
    return end
  }

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const end = await turn()
    try {
      return await work()
    } finally {
      end()
    }
  }

  return {
    ...session,
    run: (sql) => inTurn(() => session.run(sql)),
    runShort: (sql) => inTurn(() => session.runShort(sql)),
    runAhead: (sql) => {
      void turn().then((end) => {
        session.runAhead(sql)
        end()
      })
    },
    rows: (sql) => inTurn(() => session.rows(sql)),
    stream: async function* (sql) {
      const end = await turn()
      try {
        yield* session.stream(sql)
      } finally {
        end()
      }
    },
    check: (sql) => inTurn(() => session.check(sql)),
    bind: (sql, values) => inTurn(() => session.bind(sql, values)),
    insertArrow: (bytes, table) => inTurn(() => session.insertArrow(bytes, table)),
    tidy: (sql) => inTurn(() => session.tidy(sql))
  }
}
