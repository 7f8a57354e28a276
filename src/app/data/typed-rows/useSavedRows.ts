import { ref } from 'vue'
import { useWorkerClient } from '../../useWorkerClient.ts'
import type { TypedTable } from './typed-table.ts'

/** What an editor begins with; a new data source has no id yet. */
export type OpenedRows = {
  readonly dataSourceId: string | null
  readonly name: string
  /** Of the rows as they were opened. */
  readonly sha256: string | null
  readonly table: TypedTable
}

/** Saves rows: first as a new data source, then as edits of it that never write over somebody else's. */
export const useSavedRows = (opened: OpenedRows) => {
  const { flowforge } = useWorkerClient()
  const dataSourceId = ref(opened.dataSourceId)
  let expected = opened.sha256

  const save = async (wantedName: string, { columns, rows }: TypedTable): Promise<string> => {
    const typed = { columns: columns.map((column) => ({ ...column })), rows: rows.map((row) => [...row]) }
    if (dataSourceId.value === null) {
      const created = await flowforge.sources.createManual({ name: wantedName, ...typed })
      dataSourceId.value = created.dataSourceId
      expected = created.sha256
      return created.name
    }
    const edit = { dataSourceId: dataSourceId.value, ...typed }
    const { sha256 } = await flowforge.sources.editManual(
      expected === null ? edit : { ...edit, expectedSha256: expected }
    )
    expected = sha256
    return wantedName
  }
  return { dataSourceId, save }
}
