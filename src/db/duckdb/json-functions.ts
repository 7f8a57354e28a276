/**
 * SQLite's JSON functions as far as FlowForge's own SQL uses them. DuckDB's are an extension, which is not there
 * offline; these run in JavaScript.
 */

/** Stands between the values of an array on their way into SQL; JSON text holds no such character but escaped. */
const SEPARATOR = '\u001E'

const parsed = (json: string | null): unknown => (json === null ? undefined : JSON.parse(json))

/** The steps of a path such as `$.prepared.columns[0]`, or of a bare key. */
const stepsOf = (path: string): readonly string[] =>
  path.startsWith('$')
    ? [...path.matchAll(/\."([^"]*)"|\.([^.[]+)|\[(\d+)\]/g)].map(([, quoted, key, index]) =>
        String(quoted ?? key ?? index)
      )
    : [path]

const at = (json: string | null, path: string | null): unknown =>
  path === null
    ? undefined
    : stepsOf(path).reduce<unknown>(
        (value, step) =>
          typeof value === 'object' && value !== null && Object.hasOwn(value, step)
            ? Reflect.get(value, step)
            : undefined,
        parsed(json)
      )

/** As SQL sees it: text as it is, truth as 1 and 0, what has parts as JSON. */
const toText = (value: unknown): string | null => {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? '1' : '0'
  return JSON.stringify(value)
}

const typeOf = (value: unknown): string | null => {
  if (value === undefined) return null
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'real'
  return typeof value === 'string' ? 'text' : 'object'
}

const isValid = (json: string): boolean => {
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}

const read = (json: string | null, what: string | null): string | null => {
  const [kind, path = ''] = (what ?? '').split(/:([^]*)/)
  if (json === null) return null
  if (kind === 'text') return toText(at(json, path))
  if (kind === 'type') return typeOf(at(json, path))
  const value = parsed(json)
  const values = typeof value === 'object' && value !== null ? Object.values(value) : []
  return values.length === 0 ? null : values.map((each) => toText(each) ?? '').join(SEPARATOR)
}

/** The answer that was made last: its letters are asked for one by one. */
const last: { json: string | null; what: string | null; letters: readonly string[] | null } = {
  json: null,
  what: null,
  letters: null
}

const lettersOf = (json: string | null, what: string | null): readonly string[] | null => {
  if (json === last.json && what === last.what) return last.letters
  const text = read(json, what)
  Object.assign(last, { json, what, letters: text === null ? null : [...text] })
  return last.letters
}

/**
 * What the macros stand on. duckdb-wasm 1.32 loses the text that a function in JavaScript answers with (its
 * `callScalarUDF` never says where it put it), so a text leaves as the numbers of its letters.
 */
export const JSON_FUNCTIONS = {
  flowforge_json_valid: (json: string | null): number => (json !== null && isValid(json) ? 1 : 0),
  flowforge_json_length: (json: string | null, what: string | null): number | null =>
    lettersOf(json, what)?.length ?? null,
  flowforge_json_letter: (json: string | null, what: string | null, index: number): number =>
    lettersOf(json, what)?.[index]?.codePointAt(0) ?? 0
} as const

/** SQLite's names for them; made anew in each database. */
export const JSON_MACROS = [
  `CREATE MACRO flowforge_json(j, what) AS (
     CASE WHEN flowforge_json_length(j, what) IS NULL THEN NULL ELSE array_to_string(list_transform(
       range(flowforge_json_length(j, what)),
       lambda i: chr(flowforge_json_letter(j, what, CAST(i AS INTEGER)))), '') END)`,
  `CREATE MACRO json_valid(j) AS (
     CASE WHEN j IS NULL THEN NULL ELSE flowforge_json_valid(CAST(j AS VARCHAR)) = 1 END)`,
  `CREATE MACRO "->>"(j, p) AS flowforge_json(CAST(j AS VARCHAR), 'text:' || CAST(p AS VARCHAR))`,
  `CREATE MACRO json_extract(j, p) AS flowforge_json(CAST(j AS VARCHAR), 'text:' || CAST(p AS VARCHAR))`,
  `CREATE MACRO json_type(j, p) AS flowforge_json(CAST(j AS VARCHAR), 'type:' || CAST(p AS VARCHAR))`,
  `CREATE MACRO json_each(j) AS TABLE
     SELECT unnest(string_split(flowforge_json(CAST(j AS VARCHAR), 'values'), chr(30))) AS value`
] as const
