/**
 * Writes down a database as the built app leaves it, for the test that every earlier schema still opens:
 * `node scripts/write-schema-fixture.mjs <dist> <file.sqlite.gz>`, to be run on the last build of a schema before the next
 * one lands. Needs python3, whose SQLite takes the write-ahead log in.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright'
import { preview } from 'vite'
import { chromiumArguments, chromiumPath } from './chromium.mjs'

const [dist, target] = process.argv.slice(2)
if (dist === undefined || target === undefined) throw new Error('Which build, and into which file?')

/** What sahpool puts before each file's bytes: its name, flags and a digest. */
const HEADER = 4096
const folder = mkdtempSync(join(tmpdir(), 'flowforge-fixture-'))
const server = await preview({
  configFile: false,
  build: { outDir: resolve(dist) },
  preview: { host: 'localhost', port: 0 },
  logLevel: 'error'
})
const browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
  args: chromiumArguments,
  executablePath: chromiumPath()
})

/** A little of everything that the app writes. */
const use = async () => {
  const { db, flowforge } = window
  const { workflowId } = await flowforge.examples.open({ example: 'delays-by-state' })
  for (const fails of [false, true]) {
    const { runId } = await flowforge.runs
      .start({ workflowId, ...(fails ? { until: 'nowhere' } : {}) })
      .catch(() => ({}))
    if (runId !== undefined) await flowforge.runs.wait({ runId })
  }
  await flowforge.workflows.publish({ workflowId })
  await flowforge.workflows.edit({
    workflowId,
    changes: [{ type: 'rename-node', nodeId: 'late', name: 'Later' }]
  })
  await flowforge.workflows.undo({ workflowId })
  const second = await flowforge.workflows.create({ name: 'Removed' })
  for (let count = 0; count < 110; count += 1) {
    await flowforge.workflows.describe({ workflowId: second.workflowId, description: `${count}` })
  }
  await flowforge.workflows.remove({ workflowId: second.workflowId })
  await db.appendEvents({
    events: [1, 2, 3].map((value) => ({
      aggregateId: 'thermometer:1',
      eventType: 'Measured',
      payload: { value, text: 'Grüße, 💡' },
      metadata: { source: 'fixture' }
    }))
  })
  await db.saveSnapshot({ aggregateId: 'thermometer:1', lastSeq: 2, state: { value: 2 } })
  await db.upsertProjection({
    table: 'principals',
    rows: [{ id: 'p1', kind: 'user', name: 'Ada', created_at: new Date().toISOString() }]
  })
  await db.putBlob({ key: 'small', data: new Uint8Array([0, 1, 255]), contentType: 'application/x-test' })
}

/** The database's file and its write-ahead log, as they lie in OPFS. */
const readPool = async (header) => {
  const root = await navigator.storage.getDirectory()
  const pool = await (await root.getDirectoryHandle('flowforge-db')).getDirectoryHandle('.opaque')
  const found = {}
  for await (const handle of pool.values()) {
    const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer())
    const name = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))
    if (!name.startsWith('/flowforge.db')) continue
    let text = ''
    for (const byte of bytes.subarray(header)) text += String.fromCharCode(byte)
    found[name] = btoa(text)
  }
  return found
}

try {
  const address = server.resolvedUrls.local[0]
  const page = await browser.newPage()
  await page.goto(address)
  await page.waitForFunction(() => 'flowforge' in window)
  await page.evaluate(use)
  // A page of the same origin that runs none of the app: the files are nobody's then.
  await page.goto(new URL('licences.txt', address).href)
  const files = await page.evaluate(readPool, HEADER)
  const plain = join(folder, 'plain.sqlite')
  for (const [name, base64] of Object.entries(files)) {
    writeFileSync(`${plain}${name.slice('/flowforge.db'.length)}`, Buffer.from(base64, 'base64'))
  }
  const settle =
    'import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute("PRAGMA journal_mode=DELETE"); d.execute("VACUUM")'
  execFileSync('python3', ['-c', settle, plain])
  writeFileSync(target, gzipSync(readFileSync(plain), { level: 9 }))
  console.log(`${target}: ${readFileSync(target).byteLength} bytes`)
} finally {
  await browser.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
}
