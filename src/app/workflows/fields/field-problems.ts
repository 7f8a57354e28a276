import { computed, inject, type InjectionKey, onScopeDispose, provide, reactive, type Ref, watch } from 'vue'
import type { Problem } from '../../../workflow/problem.ts'

/** Problems of one node by the field they belong to; a field claims its path, and what nobody claims is shown on top. */
type FieldProblems = {
  readonly at: (path: string) => readonly Problem[]
  readonly claim: (path: string) => () => void
}
const key: InjectionKey<FieldProblems> = Symbol('problems of the fields')

const fieldPath = ({ path }: Problem): string => path.replace(/^(nodes|edges)\[\d+\]\.?/, '')
const isUnder = (path: string, parent: string): boolean =>
  path === parent || path.startsWith(`${parent}.`) || path.startsWith(`${parent}[`)

/** Called where a node's form begins; answers with the problems that no field shows. */
export const provideFieldProblems = (problems: Readonly<Ref<readonly Problem[]>>) => {
  const claims = reactive(new Map<string, number>())
  provide(key, {
    at: (path) => {
      const paths = [...claims.keys()]
      // The nearest claimed path shows a problem: `steps[0].columns.x` rather than `steps[0]`.
      const nearest = (problem: Problem): string | undefined =>
        paths
          .filter((claimed) => isUnder(fieldPath(problem), claimed))
          .toSorted((a, b) => b.length - a.length)[0]
      return problems.value.filter((problem) => nearest(problem) === path)
    },
    claim: (path) => {
      claims.set(path, (claims.get(path) ?? 0) + 1)
      return () => {
        const count = claims.get(path) ?? 0
        if (count > 1) claims.set(path, count - 1)
        else claims.delete(path)
      }
    }
  })
  return computed(() =>
    problems.value.filter((problem) => ![...claims.keys()].some((path) => isUnder(fieldPath(problem), path)))
  )
}

/** The problems of the field at a path (`spec.steps[0].where`). */
export const useFieldProblems = (path: () => string | undefined) => {
  const fields = inject(key, null)
  let release: (() => void) | undefined
  watch(
    path,
    (now) => {
      release?.()
      release = now === undefined ? undefined : fields?.claim(now)
    },
    { immediate: true }
  )
  onScopeDispose(() => release?.())
  return computed<readonly Problem[]>(() => {
    const now = path()
    return now === undefined || fields === null ? [] : fields.at(now)
  })
}
