import { wrap } from 'comlink'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WalWritingWorker } from '../contract/wal-writing-worker.ts'

const start = () => {
  const worker = new Worker(new URL('../contract/wal-writing-worker.ts', import.meta.url), { type: 'module' })
  return { worker, remote: wrap<WalWritingWorker>(worker) }
}

const MANY = `WITH RECURSIVE many (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM many WHERE number < 600)
  INSERT INTO notes (text) SELECT printf('%d %s', number, hex(randomblob(600))) FROM many`
const SUM = 'SELECT count(*) AS rows, sum(length(text)) AS size, sum(number) AS numbers FROM notes'
const INTEGRITY = 'PRAGMA integrity_check'
const SOUND = [{ integrity_check: 'ok' }]

describe('the write-ahead log in OPFS', () => {
  let directory = ''
  let started: ReturnType<typeof start>
  const open = async () => {
    started = start()
    await started.remote.open(directory)
    return started.remote
  }
  const reopen = async () => {
    await started.remote.close()
    started.worker.terminate()
    return open()
  }

  beforeEach(async () => {
    directory = `wal-${Date.now()}-${Math.random()}`
    const remote = await open()
    await remote.run(`CREATE TABLE notes (number INTEGER PRIMARY KEY, text TEXT NOT NULL, tag TEXT) STRICT;
      CREATE INDEX notes_by_text ON notes (text); CREATE INDEX notes_by_tag ON notes (tag)`)
  })
  afterEach(() => started.worker.terminate())

  test('is written twice a commit, and flushed once', async () => {
    const { writes, flushes } = await started.remote.count(50)
    expect(flushes).toBe(50)
    // The commit up to the end of a sector, and after the flush what fills up the page that began in it.
    expect(writes).toBeLessThanOrEqual(110)
  })

  test('is read where it was gathered and not yet flushed', async () => {
    const { remote } = started
    // So small a cache that pages leave it within the transaction, and come back from the log.
    await remote.run('PRAGMA cache_size = 5')
    await remote.run(`BEGIN; ${MANY}; UPDATE notes SET tag = substr(text, 1, 40) WHERE number % 3 = 0`)
    const within = await remote.ask(SUM)
    await remote.run('UPDATE notes SET tag = upper(tag); COMMIT')
    expect(await remote.ask(SUM)).toEqual(within)
    expect(await remote.ask(INTEGRITY)).toEqual(SOUND)
    const again = await reopen()
    expect(await again.ask(SUM)).toEqual(within)
    expect(await again.ask(INTEGRITY)).toEqual(SOUND)
  })

  test.each([
    ['a row', `INSERT INTO notes (text) VALUES ('one too many')`],
    ['more than the cache holds', MANY]
  ])('tells that there is no room for %s, reads on, and loses nothing', async (_what, sql) => {
    const { remote } = started
    await remote.run(MANY)
    await remote.run('PRAGMA cache_size = 5')
    const before = await remote.ask(SUM)
    await remote.fill(true)
    expect(await remote.failure(sql)).toBe('STORAGE_FULL')
    expect(await remote.ask(SUM)).toEqual(before)
    expect(await remote.failure(sql)).toBe('STORAGE_FULL')
    expect(await remote.ask(INTEGRITY)).toEqual(SOUND)
    await remote.fill(false)
    await remote.run(`INSERT INTO notes (text) VALUES ('there is room again')`)
    const after = await remote.ask(SUM)
    expect(await remote.ask(INTEGRITY)).toEqual(SOUND)
    const again = await reopen()
    expect(await again.ask(SUM)).toEqual(after)
    expect(await again.ask(INTEGRITY)).toEqual(SOUND)
  })
  test('never writes later what there was no room for', async () => {
    const { remote } = started
    await remote.run(`INSERT INTO notes (text) VALUES ('before')`)
    await remote.watch('without room')
    await remote.fill(true)
    const refused = `INSERT INTO notes (text) VALUES (printf('%.*c', 60000, 'x') || 'without room')`
    expect(await remote.failure(refused)).toBe('STORAGE_FULL')
    await remote.fill(false)
    await remote.run(`INSERT INTO notes (text) VALUES ('there is room again')`)
    expect(await remote.ask('SELECT text FROM notes')).toEqual([
      { text: 'before' },
      { text: 'there is room again' }
    ])
    expect(await remote.wasWritten()).toBe(false)
    await remote.run(refused)
    expect(await remote.wasWritten()).toBe(true)
  })
})
