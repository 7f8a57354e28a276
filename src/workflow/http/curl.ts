/** A request as it was kept, secrets masked. */
export type KeptRequest = {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** A word of a POSIX shell that means nothing but itself. */
const quoted = (text: string): string =>
  /^[A-Za-z0-9_./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The request as a command line; what is masked has to be filled in by whoever runs it. */
export const toCurl = ({ method, url, headers, body }: KeptRequest): string => {
  const how = method === 'GET' ? [] : method === 'HEAD' ? ['--head'] : [`--request ${quoted(method)}`]
  return [
    `curl --globoff ${quoted(url)}`,
    ...how,
    // An empty header is sent with a semicolon.
    ...Object.entries(headers).map(
      ([name, value]) => `--header ${quoted(value === '' ? `${name};` : `${name}: ${value}`)}`
    ),
    ...(body === null ? [] : [`--data-raw ${quoted(body)}`])
  ].join(' \\\n  ')
}
