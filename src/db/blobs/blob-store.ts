import { FlowForgeError, type BlobStat, type BlobStorePort, type Row } from '../ports.ts'
import type { Bound, SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Scope, Transactions } from '../sqlite/transactions.ts'
import type { BlobFiles } from './blob-files.ts'
import type { StoredFile } from './file-store.ts'
import { readHead } from './stream-head.ts'

/** Up to this many bytes stand in the database itself: one flush, and no file. */
export const INLINE_LIMIT = 512 * 1024

const SELECT = 'SELECT content_type, bytes, file_name FROM blobs WHERE key = ?'
const SELECT_FACTS = 'SELECT content_type, size, sha256, file_name FROM blobs WHERE key = ?'
const SAVE = `INSERT INTO blobs (key, content_type, size, sha256, created_at, bytes, file_name)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT (key) DO UPDATE SET content_type = ?2, size = ?3, sha256 = ?4, bytes = ?6, file_name = ?7`
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
  database: Pick<SqliteDatabase, 'all' | 'run'>
  transactions: Transactions
  files: BlobFiles
  now: () => string
  scope: Scope | null
}

type At = Scope | null

/** Bytes by key: small ones in `blobs`, large ones in files that keys of the same bytes share. */
export const createBlobStore = ({ database, transactions, files, now, scope }: Parts): BlobStorePort => {
  /**
   * Does work that awaits more than the database. Whose transaction it is part of is known at the call alone, so it is
   * asked then and handed on.
   */
  const inPlace = <T>(work: (at: At) => Promise<T>): Promise<T> => {
    const at = scope ?? transactions.current()
    return at === null ? work(at) : transactions.bound(at, work(at))
  }

  const rowOf = (key: string): Row | undefined => database.all(SELECT, [key])[0]
  /** Without the bytes. */
  const factsOf = (key: string): Row | undefined => database.all(SELECT_FACTS, [key])[0]
  const find = (at: At, key: string): Promise<Row | undefined> =>
    transactions.perform(at, false, () => rowOf(key))

  const fileOf = (row: Row | undefined): string | null => {
    const name = row?.['file_name']
    return typeof name === 'string' ? name : null
  }

  const releaseFileOf = (row: Row | undefined): void => {
    const name = fileOf(row)
    if (name !== null) files.release(name)
  }

  /** Answers with whether there was nothing under the key. */
  const save = (
    at: At,
    key: string,
    contentType: string | undefined,
    { size, sha256 }: Omit<StoredFile, 'name'>,
    place: { bytes?: Bound; file?: string }
  ): Promise<boolean> =>
    transactions.perform(at, true, () => {
      const before = factsOf(key)
      const { bytes = null, file = null } = place
      database.run(SAVE, [key, contentType ?? null, size, sha256, now(), bytes, file])
      releaseFileOf(before)
      return before === undefined
    })

  const saveFile = (
    at: At,
    key: string,
    contentType: string | undefined,
    file: StoredFile
  ): Promise<boolean> => save(at, key, contentType, file, { file: file.name })

  const bytesOf = async (at: At, key: string, row: Row): Promise<Blob | null> => {
    const bytes = row['bytes']
    if (bytes instanceof Uint8Array)
      return new Blob([new Uint8Array(bytes)], { type: typed(row).contentType ?? '' })
    const name = String(row['file_name'])
    const file = await files.open(name)
    if (file !== null) return file
    // Replaced or removed since the row was read?
    const again = await find(at, key)
    if (again === undefined) return null
    if (fileOf(again) !== name) return bytesOf(at, key, again)
    throw new FlowForgeError('CORRUPT', `The file behind the blob "${key}" is gone.`, { key, file: name })
  }

  const put = async (at: At, { key, data, contentType }: Parameters<BlobStorePort['put']>[0]) => {
    const blob = data instanceof Blob ? data : new Blob([new Uint8Array(data)])
    const type = contentType ?? (data instanceof Blob && data.type !== '' ? data.type : undefined)
    if (blob.size > INLINE_LIMIT) {
      await files.write(blob.stream(), (file) => saveFile(at, key, type, file))
    } else {
      const bytes = new Uint8Array(await blob.arrayBuffer())
      await save(at, key, type, { size: bytes.byteLength, sha256: await hexOf(bytes) }, { bytes })
    }
    if (at === null) await files.settled()
  }

  const putStream = async (
    at: At,
    { prefix, stream, contentType }: Parameters<BlobStorePort['putStream']>[0]
  ): ReturnType<BlobStorePort['putStream']> => {
    const head = await readHead(stream, INLINE_LIMIT)
    if ('stream' in head) {
      return files.write(head.stream, async (file) => {
        const key = `${prefix}${file.sha256}`
        const isNew = await saveFile(at, key, contentType, file)
        return { key, size: file.size, sha256: file.sha256, isNew }
      })
    }
    const { bytes } = head
    const [size, sha256] = [bytes.byteLength, await hexOf(bytes)]
    const key = `${prefix}${sha256}`
    const isNew = await save(at, key, contentType, { size, sha256 }, { bytes })
    return { key, size, sha256, isNew }
  }

  return {
    put: (args) => inPlace((at) => put(at, args)),
    get: ({ key }) =>
      inPlace(async (at) => {
        const row = await find(at, key)
        const blob = row === undefined ? null : await bytesOf(at, key, row)
        return row === undefined || blob === null
          ? null
          : { data: new Uint8Array(await blob.arrayBuffer()), ...typed(row) }
      }),
    stat: ({ key }) =>
      inPlace(async (at) => {
        const row = await transactions.perform(at, false, () => factsOf(key))
        return row === undefined ? null : toStat(row)
      }),
    putStream: (args) => inPlace((at) => putStream(at, args)),
    open: ({ key }) =>
      inPlace(async (at) => {
        const row = await find(at, key)
        return row === undefined ? null : bytesOf(at, key, row)
      }),
    remove: ({ key }) =>
      inPlace(async (at) => {
        await transactions.perform(at, true, () => {
          const before = factsOf(key)
          database.run('DELETE FROM blobs WHERE key = ?', [key])
          releaseFileOf(before)
        })
        if (at === null) await files.settled()
      })
  }
}
