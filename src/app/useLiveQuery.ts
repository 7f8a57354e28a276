import { onScopeDispose, readonly, shallowRef, toValue, watch } from 'vue'
import type { MaybeRefOrGetter, ShallowRef } from 'vue'
import type { Row } from '../worker/api.ts'
import { useWorkerClient } from './useWorkerClient.ts'

export type LiveQueryError = { readonly code: string; readonly message: string }
export type LiveQuery<T> = {
  /** Until the first answer, empty; while a changed query is asked, still those of the old one. */
  readonly rows: Readonly<ShallowRef<readonly T[]>>
  readonly error: Readonly<ShallowRef<LiveQueryError | null>>
  /** True until the query as it stands has answered once. */
  readonly isLoading: Readonly<ShallowRef<boolean>>
}
type Sql = MaybeRefOrGetter<string>
type Options = { readonly restMs?: number }
type Params = MaybeRefOrGetter<readonly MaybeRefOrGetter<unknown>[]>

/**
 * Rows of a read-only query that follow the database: now, and again after each commit that touched a table it reads.
 * Ends with the component. A query or parameter that changes is asked anew. `read` parses a row; one that it refuses
 * becomes `error`. `restMs` is for what nobody watches: how long it is not asked again after it was.
 */
export function useLiveQuery(sql: Sql, params?: Params, read?: undefined, options?: Options): LiveQuery<Row>
export function useLiveQuery<T>(sql: Sql, params: Params, read: (row: Row) => T): LiveQuery<T>
export function useLiveQuery(
  sql: Sql,
  params: Params = [],
  read: (row: Row) => unknown = (row) => row,
  options: Options = {}
): LiveQuery<unknown> {
  const { liveQuery } = useWorkerClient()
  const rows = shallowRef<readonly unknown[]>([])
  const error = shallowRef<LiveQueryError | null>(null)
  const isLoading = shallowRef(true)
  let stop: () => void = () => undefined

  watch(
    () => ({ sql: toValue(sql), params: toValue(params).map((param) => toValue(param)) }),
    (query, before) => {
      if (before !== undefined && JSON.stringify(query) === JSON.stringify(before)) return
      stop()
      isLoading.value = true
      stop = liveQuery({ ...query, ...options }, (answer) => {
        isLoading.value = false
        if ('error' in answer) {
          error.value = answer.error
          return
        }
        try {
          rows.value = answer.rows.map(read)
          error.value = null
        } catch (thrown) {
          const message = thrown instanceof Error ? thrown.message : String(thrown)
          error.value = { code: 'CORRUPT', message: `A stored row cannot be read: ${message}` }
        }
      })
    },
    { immediate: true }
  )
  onScopeDispose(() => stop())
  return { rows: readonly(rows), error: readonly(error), isLoading: readonly(isLoading) }
}
