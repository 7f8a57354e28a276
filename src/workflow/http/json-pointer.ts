/** RFC 6901: `` is the whole, `/a/0` the first element of member `a`; `~1` is a slash, `~0` a tilde. */
export const isJsonPointer = (pointer: string): boolean => /^(\/([^~/]|~[01])*)*$/.test(pointer)

export const pointerTo = (path: readonly (string | number)[]): string =>
  path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

const step = (value: unknown, key: string): unknown => {
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(key) ? (value as unknown[])[Number(key)] : undefined
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined
}

/** What a pointer leads to; undefined where there is nothing. Own members alone: `constructor` leads nowhere. */
export const follow = (value: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(step, value)
