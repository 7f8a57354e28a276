const PLACE = /\{\{([^{}]+)\}\}/g

/** The columns that templates name, each once. */
export const columnsOfTemplate = (templates: readonly string[]): readonly string[] => [
  ...new Set(templates.flatMap((text) => [...text.matchAll(PLACE)].map(([, name = '']) => name.trim())))
]

const fill = (
  text: string,
  row: Readonly<Record<string, string>>,
  encode: (value: string) => string
): string => text.replaceAll(PLACE, (_, name: string) => encode(row[name.trim()] ?? ''))

/** A value inside a JSON text's quotes, or as it is elsewhere. */
const inBody = (body: string): ((value: string) => string) =>
  /^\s*[[{]/.test(body) ? (value) => JSON.stringify(value).slice(1, -1) : (value) => value

/** A request as it would be for a row: percent-encoded in the path, escaped inside a JSON body. */
export const previewTemplate = (
  request: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  },
  row: Readonly<Record<string, string>>
): string => {
  const lines = [
    `${request.method} ${fill(request.path, row, encodeURIComponent)}`,
    ...Object.entries(request.headers).map(
      ([name, text]) => `${name}: ${fill(text, row, (value) => value.replaceAll(/[\r\n]/g, '⏎'))}`
    )
  ]
  return request.body === ''
    ? lines.join('\n')
    : `${lines.join('\n')}\n\n${fill(request.body, row, inBody(request.body))}`
}
