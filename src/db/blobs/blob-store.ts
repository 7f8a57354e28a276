import { FlowForgeError, type BlobStat, type BlobStorePort, type Row } from '../ports.ts'
import type { Bound, SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Scope, Transactions } from '../sqlite/transactions.ts'
import type { FileStore, StoredFile } from './file-store.ts'

/** Up to this many bytes stand in the database itself: one flush, and no file. */
export const INLINE_LIMIT = 64 * 1024

const SELECT = 'SELECT content_type, size, sha256, bytes, file_name FROM blobs WHERE key = ?'
const SAVE = `INSERT INTO blobs (key, content_type, size, sha256, created_at, bytes, file_name)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT (key) DO UPDATE SET content_type = ?2, size = ?3, sha256 = ?4, bytes = ?6, file_name = ?7`
const USERS = 'SELECT count(*) AS users FROM blobs WHERE file_name = ?'

const hexOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')

const typed = (row: Row): { contentType?: string } =>
  row['content_type'] === null ? {} : { contentType: String(row['content_type']) }

const toStat = (row: Row): BlobStat => ({
  size: Number(row['size']),
  sha256: String(row['sha256']),
  ...typed(row)
})

type Parts = {
  database: SqliteDatabase
  transactions: Transactions
  files: FileStore
  now: () => string
  scope: Scope | null
}

/** Bytes by key: small ones in `blobs`, large ones in files that keys of the same bytes share. */
export const createBlobStore = ({ database, transactions, files, now, scope }: Parts): BlobStorePort => {
  const rowOf = (key: string): Row | undefined => database.all(SELECT, [key])[0]
  const find = (key: string): Promise<Row | undefined> => transactions.perform(scope, false, () => rowOf(key))

  /** Writes the row; answers with the file that no key names any more. */
  const save = (
    key: string,
    contentType: string | undefined,
    place: Omit<StoredFile, 'name'>,
    at: { bytes?: Bound; file?: string }
  ) =>
    transactions.perform(scope, true, () => {
      const before = rowOf(key)?.['file_name']
      database.run(SAVE, [
        key,
        contentType ?? null,
        place.size,
        place.sha256,
        now(),
        at.bytes ?? null,
        at.file ?? null
      ])
      return typeof before === 'string' && before !== at.file ? orphan(before) : null
    })

  const orphan = (file: string): string | null =>
    Number(database.all(USERS, [file])[0]?.['users']) === 0 ? file : null

  const drop = async (file: string | null): Promise<void> => {
    if (file !== null) await files.remove(file)
  }

  /** The bytes came first; if their row cannot be written they are taken away again. */
  const name = async (key: string, contentType: string | undefined, file: StoredFile): Promise<void> => {
    try {
      await drop(await save(key, contentType, file, { file: file.name }))
    } catch (thrown) {
      await drop(await transactions.perform(scope, false, () => orphan(file.name)))
      throw thrown
    }
  }

  const bytesOf = async (key: string, row: Row): Promise<Blob> => {
    const bytes = row['bytes']
    if (bytes instanceof Uint8Array)
      return new Blob([new Uint8Array(bytes)], { type: typed(row).contentType ?? '' })
    const file = await files.open(String(row['file_name']))
    if (file !== null) return file
    throw new FlowForgeError('CORRUPT', `The file behind the blob "${key}" is gone.`, {
      key,
      file: row['file_name']
    })
  }

  const put: BlobStorePort['put'] = async ({ key, data, contentType }) => {
    const blob = data instanceof Blob ? data : new Blob([new Uint8Array(data)])
    const type = contentType ?? (data instanceof Blob && data.type !== '' ? data.type : undefined)
    if (blob.size > INLINE_LIMIT) return name(key, type, await files.write(blob.stream()))
    const bytes = new Uint8Array(await blob.arrayBuffer())
    await drop(await save(key, type, { size: bytes.byteLength, sha256: await hexOf(bytes) }, { bytes }))
  }

  return {
    put,
    get: async ({ key }) => {
      const row = await find(key)
      if (row === undefined) return null
      return { data: new Uint8Array(await (await bytesOf(key, row)).arrayBuffer()), ...typed(row) }
    },
    stat: async ({ key }) => {
      const row = await find(key)
      return row === undefined ? null : toStat(row)
    },
    putStream: async ({ prefix, stream, contentType }) => {
      const file = await files.write(stream)
      const key = `${prefix}${file.sha256}`
      await name(key, contentType, file)
      return { key, size: file.size, sha256: file.sha256 }
    },
    open: async ({ key }) => {
      const row = await find(key)
      return row === undefined ? null : bytesOf(key, row)
    },
    remove: async ({ key }) => {
      const file = await transactions.perform(scope, true, () => {
        const before = rowOf(key)?.['file_name']
        database.run('DELETE FROM blobs WHERE key = ?', [key])
        return typeof before === 'string' ? orphan(before) : null
      })
      await drop(file)
    }
  }
}
