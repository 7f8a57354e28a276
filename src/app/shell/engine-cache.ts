import { z } from 'zod'

/** Must match the name in `vite.config.ts`: the service worker fills it, too, when the engine is first used. */
const CACHE = 'flowforge-engine'

const EngineAssets = z.array(z.strictObject({ url: z.string(), bytes: z.number() })).min(1)
export type EngineAssets = z.infer<typeof EngineAssets>

/** The compute engine's files, as the build listed them. */
export const readEngineAssets = async (): Promise<EngineAssets> => {
  const response = await fetch(`${import.meta.env.BASE_URL}engine-assets.json`)
  if (!response.ok) throw new Error(`engine-assets.json answered ${response.status}`)
  return EngineAssets.parse(await response.json())
}

const missing = async (cache: Cache, assets: EngineAssets): Promise<EngineAssets> => {
  const found = await Promise.all(assets.map(({ url }) => cache.match(url, { ignoreVary: true })))
  return assets.filter((_, at) => found[at] === undefined)
}

export const isEngineCached = async (assets: EngineAssets): Promise<boolean> => {
  if (!(await caches.has(CACHE))) return false
  return (await missing(await caches.open(CACHE), assets)).length === 0
}

/** Keeps the engine for offline use and forgets that of earlier versions. */
export const cacheEngine = async (assets: EngineAssets): Promise<void> => {
  const cache = await caches.open(CACHE)
  for (const { url } of await missing(cache, assets)) {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    await cache.put(url, response)
  }
  const wanted = new Set(assets.map(({ url }) => new URL(url, location.href).href))
  for (const request of await cache.keys()) {
    if (!wanted.has(request.url)) await cache.delete(request)
  }
}
