import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { testWorld, workflowRow } from '../contract/store-contract.ts'
import { openDbContext } from '../index.ts'

/** SQLite as Python brings it along: another build, of another version, that knows nothing of FlowForge. */
const SCRIPT = `
import hashlib, json, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
rows = lambda sql: database.execute(sql).fetchall()
pieces = {}
for name, piece in rows('SELECT file_name, bytes FROM backup_blob_chunks ORDER BY file_name, idx'):
    pieces[name] = pieces.get(name, b'') + piece
small = rows("SELECT sha256, bytes FROM blobs WHERE bytes IS NOT NULL")
print(json.dumps({
    'integrity': rows('PRAGMA integrity_check'),
    'foreignKeys': rows('PRAGMA foreign_key_check'),
    'journal': rows('PRAGMA journal_mode'),
    'events': rows('SELECT count(*) FROM events'),
    'payload': rows("SELECT json_extract(payload_json, '$.text') FROM events WHERE position = 1"),
    'workflows': rows('SELECT name FROM workflows'),
    'large': [hashlib.sha256(bytes).hexdigest() == name for name, bytes in pieces.items()],
    'small': [hashlib.sha256(bytes).hexdigest() == sha256 for sha256, bytes in small],
    'manifest': json.loads(rows('SELECT manifest_json FROM backup_manifest')[0][0])['format'],
}))
`
const hasPython = spawnSync('python3', ['-c', 'import sqlite3']).status === 0

test.skipIf(!hasPython)('a backup opens in another SQLite tool, whole and with its blobs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flowforge-backup-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const context = await openDbContext({ storage: 'memory', ...testWorld() })
  onTestFinished(() => context.close())
  await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: { text: 'Grüße, 💡' } })
  await context.projectionStore.upsert({ table: 'workflows', rows: [workflowRow('w1', 'Käse')] })
  await context.blobStore.put({ key: 'small', data: new Uint8Array([0, 1, 255]) })
  await context.blobStore.put({ key: 'large', data: new Uint8Array(2_300_000).map((_, at) => at % 253) })
  const { file } = await context.backup.create({})
  const path = join(folder, file.name)
  writeFileSync(path, new Uint8Array(await file.arrayBuffer()))

  const answer: unknown = JSON.parse(execFileSync('python3', ['-c', SCRIPT, path], { encoding: 'utf8' }))
  expect(answer).toEqual({
    integrity: [['ok']],
    foreignKeys: [],
    journal: [['delete']],
    events: [[1]],
    payload: [['Grüße, 💡']],
    workflows: [['Käse']],
    large: [true],
    small: [true],
    manifest: 'flowforge.backup/1'
  })
})
