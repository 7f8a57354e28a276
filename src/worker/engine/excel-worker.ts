/** Takes a workbook apart beside FlowForge's own worker, which would not answer for seconds otherwise. */
import readXlsxFile from 'read-excel-file/web-worker'

export type SheetCell = string | number | boolean | Date | null
export type ExcelAnswer =
  | {
      readonly ok: true
      readonly sheets: readonly string[]
      readonly sheet: string
      readonly rows: readonly (readonly SheetCell[])[]
    }
  | { readonly ok: false; readonly reason: 'no-sheet'; readonly sheets: readonly string[] }
  | { readonly ok: false; readonly reason: 'broken'; readonly message: string }

const toCell = (value: unknown): SheetCell => {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return value instanceof Date ? value : String(value)
}

const read = async (file: Blob, wanted: string | undefined): Promise<ExcelAnswer> => {
  const sheets = await readXlsxFile(file, { trim: false })
  const names = sheets.map(({ sheet }) => sheet)
  const found = wanted === undefined ? sheets[0] : sheets.find(({ sheet }) => sheet === wanted)
  if (found === undefined) return { ok: false, reason: 'no-sheet', sheets: names }
  return { ok: true, sheets: names, sheet: found.sheet, rows: found.data.map((row) => row.map(toCell)) }
}

globalThis.addEventListener('message', ({ data, ports }: MessageEvent<{ file: Blob; sheet?: string }>) => {
  read(data.file, data.sheet)
    .catch((thrown: unknown): ExcelAnswer => ({
      ok: false,
      reason: 'broken',
      message: thrown instanceof Error ? thrown.message : String(thrown)
    }))
    .then((answer) => ports[0]?.postMessage(answer))
    .catch((thrown: unknown) => console.error(thrown))
})
