/**
 * Remembers, outside of the storage, that there was data in it. A browser that makes room takes everything that scripts
 * store of an origin together: OPFS, IndexedDB, caches and `localStorage`. A cookie it leaves. So the cookie says that
 * there was data, and `localStorage`, where it is still there, how much and since when: a cookie goes to the server with
 * every request, and how much somebody works is nobody's business.
 */
export type DataMark = {
  /** How many events there were, and when the first was; null where only the cookie was left. */
  readonly facts: { readonly events: number; readonly since: string } | null
  /** The last backup that was made of it; null where none was, or nothing but the cookie was left. */
  readonly backup: LastBackup | null
}
type LastBackup = { readonly at: string; readonly fileName: string }

export type MarkPlaces = {
  readonly store: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly cookies: { cookie: string }
}

const KEY = 'flowforge-data'
const BACKUP_KEY = 'flowforge-last-backup'
/** The longest that browsers keep a cookie. */
const SECONDS = 400 * 24 * 60 * 60

const here = (): MarkPlaces => ({ store: localStorage, cookies: document })

const readFacts = (text: string | null): DataMark['facts'] => {
  const [, events, since] = /^(\d+) (\S+)$/.exec(text ?? '') ?? []
  return events === undefined || since === undefined ? null : { events: Number(events), since }
}

const readBackup = (text: string | null): LastBackup | null => {
  const [, at, fileName] = /^(\S+) (.+)$/.exec(text ?? '') ?? []
  return at === undefined || fileName === undefined ? null : { at, fileName }
}

/** What was noted; null where nothing was. */
export const readDataMark = ({ store, cookies }: MarkPlaces = here()): DataMark | null => {
  const facts = readFacts(store.getItem(KEY))
  const hasCookie = cookies.cookie.split('; ').includes(`${KEY}=1`)
  return facts === null && !hasCookie ? null : { facts, backup: readBackup(store.getItem(BACKUP_KEY)) }
}

export const writeDataMark = (
  facts: { events: number; since: string },
  { store, cookies }: MarkPlaces = here()
): void => {
  store.setItem(KEY, `${facts.events} ${facts.since}`)
  cookies.cookie = `${KEY}=1; max-age=${SECONDS}; path=/; samesite=strict`
}

export const writeLastBackup = (
  { at, fileName }: LastBackup,
  { store }: Pick<MarkPlaces, 'store'> = here()
): void => store.setItem(BACKUP_KEY, `${at} ${fileName}`)

export const forgetDataMark = ({ store, cookies }: MarkPlaces = here()): void => {
  store.removeItem(KEY)
  store.removeItem(BACKUP_KEY)
  cookies.cookie = `${KEY}=; max-age=0; path=/; samesite=strict`
}
