import type { DbContext } from '../../src/db/ports.ts'
import { checkHistory } from '../history/check-history.ts'
import type { Stored } from '../history/history.ts'
import { hashOf } from './clients.ts'
import { toHistory, toStored, type Facts, type RegisterKind } from './facts.ts'
import type { Life } from './life.ts'

const PAGE = 500

const readLog = async (context: DbContext): Promise<Stored[]> => {
  const log: Stored[] = []
  for (let afterPosition = 0; ;) {
    const events = await context.eventStore.readAll({ afterPosition, limit: PAGE })
    log.push(...events.map(toStored))
    const last = events.at(-1)
    if (last === undefined || events.length < PAGE) return log
    afterPosition = last.position
  }
}

/** The database as SQLite itself judges it. */
const checkIntegrity = async (context: DbContext): Promise<string[]> => {
  const rows = async (sql: string) => context.projectionStore.query({ sql })
  const [integrity, keys] = [await rows('PRAGMA integrity_check'), await rows('PRAGMA foreign_key_check')]
  const isSound = integrity.length === 1 && integrity[0]?.['integrity_check'] === 'ok'
  return [
    ...(isSound ? [] : [`integrity: ${JSON.stringify(integrity.slice(0, 3))}`]),
    ...(keys.length === 0 ? [] : [`foreign keys: ${JSON.stringify(keys.slice(0, 3))}`])
  ]
}

/** The rows that are written with each event; async ones may lag, and say how far they are. */
const inlineOf = ({ program }: Life) => program.ALL_PROJECTIONS.filter(({ mode }) => mode === 'inline')

/** Every projection as it stands, against what the log gives: async ones up to their checkpoint, the others to its end. */
const checkProjections = async (context: DbContext, life: Life): Promise<string[]> => {
  const { program } = life
  const history = program.createHistory({ context, definitions: program.ALL_PROJECTIONS })
  const checkpoints = new Map(
    (await context.projectionStore.query({ sql: 'SELECT * FROM projection_checkpoints' })).map((row) => [
      row['projection'],
      Number(row['position'])
    ])
  )
  const problems: string[] = []
  // The past is built once where it is asked for in the order of the log.
  const inOrder = program.ALL_PROJECTIONS.toSorted((left, right) => left.mode.localeCompare(right.mode))
  for (const { name, mode, tables } of inOrder) {
    const position = mode === 'async' ? (checkpoints.get(name) ?? 0) : Number.MAX_SAFE_INTEGER
    for (const table of tables) {
      const sql = `SELECT * FROM ${table} ORDER BY 1`
      const rows = JSON.stringify(await context.projectionStore.query({ sql }))
      const rebuilt = JSON.stringify((await history.stateAt({ position, sql })).rows)
      if (rows !== rebuilt)
        problems.push(`${table} differs from the log: ${rows.slice(0, 300)} / ${rebuilt.slice(0, 300)}`)
    }
  }
  await history.forget()
  return problems
}

/**
 * A checkpoint stands at the last event that its projection hears, for it commits with the rows, and they with the event;
 * or further on, where a rebuild looked past it. It never stands past the log.
 */
const checkCheckpoints = async (context: DbContext, life: Life): Promise<string[]> => {
  const problems: string[] = []
  for (const { name, hears } of inlineOf(life)) {
    const [row] = await context.projectionStore.query({
      sql: `SELECT (SELECT max(position) FROM events WHERE event_type IN (SELECT value FROM json_each(?1))) AS heard,
              (SELECT position FROM projection_checkpoints WHERE projection = ?2) AS checkpoint,
              (SELECT coalesce(max(position), 0) FROM events) AS head`,
      params: [JSON.stringify(hears), name]
    })
    const [heard, checkpoint] = [Number(row?.['heard'] ?? 0), Number(row?.['checkpoint'] ?? 0)]
    if (checkpoint < heard || checkpoint > Number(row?.['head']))
      problems.push(`${name} is at ${checkpoint}, and heard up to ${heard} of ${String(row?.['head'])}`)
  }
  return problems
}

const readRegister = async (context: DbContext, kind: RegisterKind, key: string): Promise<string | null> => {
  switch (kind) {
    case 'row': {
      const sql = 'SELECT name FROM principals WHERE id = ?'
      const [row] = await context.projectionStore.query({ sql, params: [key] })
      return row === undefined ? null : String(row['name'])
    }
    case 'snapshot': {
      const snapshot = await context.eventStore.latestSnapshot({ aggregateId: key })
      return snapshot === null ? null : String(snapshot.lastSeq)
    }
    case 'blob': {
      const [blob, stat] = [await context.blobStore.get({ key }), await context.blobStore.stat({ key })]
      if (blob === null || stat === null) return null
      const hash = hashOf(blob.data)
      return stat.sha256 === hash && stat.size === blob.data.byteLength
        ? hash
        : `${hash}, though named ${stat.sha256}`
    }
  }
}

/** Whatever was written and acknowledged is there, unless it was written again since. */
const checkRegisters = async (context: DbContext, facts: Facts): Promise<string[]> => {
  const problems: string[] = []
  for (const kind of ['row', 'blob', 'snapshot'] as const) {
    for (const [key, register] of facts.registers[kind]) {
      const found = await readRegister(context, kind, key)
      if (found !== register.known && !register.maybe.includes(found)) {
        problems.push(
          `${kind} ${key} is ${found}, and was written as ${register.known}, ${register.maybe.join(', ')}`
        )
      }
      register.known = found
      register.maybe = []
    }
  }
  return problems
}

/** The log against its own hash chain. */
const checkChain = async (context: DbContext): Promise<string[]> => {
  const { isIntact, findings } = await context.log.verify()
  return isIntact ? [] : [`chain: ${JSON.stringify(findings.slice(0, 3))}`]
}

/** A backup that is made now is whole, and its own check finds so. */
const checkBackup = async ({ backup }: DbContext, log: readonly Stored[]): Promise<string[]> => {
  const { file } = await backup.create({})
  const { summary } = await backup.stage(file, {})
  await backup.discard()
  return summary.events === log.length && summary.missing.length === 0
    ? []
    : [`backup: it has ${summary.events} of ${log.length} events, and lacks ${summary.missing.join(', ')}`]
}

/** No file is left that nothing names, once the program has opened. */
const checkFiles = async (context: DbContext, life: Life): Promise<string[]> => {
  const rows = await context.projectionStore.query({
    sql: 'SELECT file_name FROM blobs WHERE file_name IS NOT NULL'
  })
  const named = new Set(rows.map((row) => row['file_name']))
  const left = (await life.names('/flowforge-db-blobs')).filter((name) => !named.has(name))
  return left.map((name) => `the file ${name} is named by no blob`)
}

/** Compares everything that is stored with everything that was said. */
export const verify = async (
  context: DbContext,
  life: Life,
  facts: Facts,
  { hasCaughtUp, backsUp }: { hasCaughtUp: boolean; backsUp: boolean }
): Promise<{ integrity: string[]; promises: string[] }> => {
  const integrity = await checkIntegrity(context)
  if (integrity.length > 0) return { integrity, promises: [] }
  const log = await readLog(context)
  return {
    integrity,
    promises: [
      ...checkHistory(toHistory(facts, log, hasCaughtUp)).map(({ kind, message }) => `${kind}: ${message}`),
      ...(await checkRegisters(context, facts)),
      ...(await checkFiles(context, life)),
      ...(await checkProjections(context, life)),
      ...(await checkCheckpoints(context, life)),
      ...(await checkChain(context)),
      ...(backsUp ? await checkBackup(context, log) : [])
    ]
  }
}
