/** Puts a workbook together beside FlowForge's own worker, which would not answer for seconds otherwise. */
import { toFlowForgeError, type ErrorCode } from '../../db/ports.ts'
import { createLosses, type Losses } from './sink-losses.ts'
import type { StoredTable } from './stored-table.ts'
import { writeWorkbook } from './xlsx-writing.ts'

export type XlsxAnswer =
  | { readonly ok: true; readonly bytes: ArrayBuffer; readonly losses: ReturnType<Losses['counted']> }
  | {
      readonly ok: false
      readonly code: ErrorCode
      readonly message: string
      readonly details: Readonly<Record<string, unknown>>
    }

const write = async (table: StoredTable): Promise<XlsxAnswer> => {
  const losses = createLosses()
  const blob = await writeWorkbook(table, losses)
  return { ok: true, bytes: await blob.arrayBuffer(), losses: losses.counted() }
}

globalThis.addEventListener('message', ({ data, ports }: MessageEvent<StoredTable>) => {
  write(data)
    .catch((thrown: unknown): XlsxAnswer => {
      const { code, message, details } = toFlowForgeError(thrown)
      return { ok: false, code, message, details }
    })
    .then((answer) => ports[0]?.postMessage(answer, answer.ok ? [answer.bytes] : []))
    .catch((thrown: unknown) => console.error(thrown))
})
