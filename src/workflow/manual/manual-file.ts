import { z } from 'zod'
import { ManualColumn, type ManualRows } from './manual-rows.ts'

const FORMAT = 'flowforge.rows/1'

const ManualFile = z.strictObject({
  format: z.literal(FORMAT),
  columns: z.array(ManualColumn),
  rows: z.array(z.array(z.string().nullable()))
})

/** The file that rows typed by hand are kept in, a row a line. Equal rows are equal bytes, and so one hash. */
export const toManualFile = ({ columns, rows }: ManualRows): string => {
  const lines = rows.map((cells) => JSON.stringify(cells)).join(',\n')
  const written = columns.map(({ name, type }) => ({ name, type }))
  return `{"format":"${FORMAT}",\n"columns":${JSON.stringify(written)},\n"rows":[\n${lines}\n]}\n`
}

/** @throws where the text is no such file */
export const readManualFile = (text: string): ManualRows => {
  const { columns, rows } = ManualFile.parse(JSON.parse(text))
  return { columns, rows }
}
