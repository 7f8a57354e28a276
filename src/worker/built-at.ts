/** Put in by `vite.config.ts`. */
declare const FLOWFORGE_BUILT_AT: string | undefined

/** When this code was built, ISO-8601 UTC; empty where it was not built. */
export const BUILT_AT: string = typeof FLOWFORGE_BUILT_AT === 'string' ? FLOWFORGE_BUILT_AT : ''
