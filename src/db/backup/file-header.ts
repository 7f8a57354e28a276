import { FlowForgeError } from '../flowforge-error.ts'

const MAGIC = 'SQLite format 3\0'

/**
 * Looks at a file's first bytes before it is read in.
 * @throws FlowForgeError `INVALID_INPUT` for what is no SQLite database, `CORRUPT` for one that was cut off
 */
export const expectSqliteFile = async (file: Blob): Promise<void> => {
  const header = new Uint8Array(
    await file
      .slice(0, 100)
      .arrayBuffer()
      .catch((cause: unknown) => {
        const message = 'The file cannot be read: it has gone, or it is a folder. Choose it again.'
        throw new FlowForgeError('INVALID_INPUT', message, {}, cause)
      })
  )
  if (header.byteLength < 100 || new TextDecoder('latin1').decode(header.subarray(0, 16)) !== MAGIC) {
    const message = 'This file is no FlowForge backup: it is not a SQLite database. Nothing was changed.'
    throw new FlowForgeError('INVALID_INPUT', message, { size: file.size })
  }
  const view = new DataView(header.buffer)
  const stored = view.getUint16(16)
  const pageSize = stored === 1 ? 65_536 : stored
  const expected = pageSize * view.getUint32(28)
  if (expected !== file.size) {
    const message = `The backup is not whole: it should have ${expected} bytes, and has ${file.size}. Copy it again from where it was saved.`
    throw new FlowForgeError('CORRUPT', message, { expected, found: file.size })
  }
}
