import { afterAll } from 'vitest'

/**
 * Runs in the browser with each test file. A page can address some 120 memories of engines (124, counted in Chromium 156),
 * and those of a file that has ended are let go only when the page's garbage is collected.
 */
afterAll(() => {
  const collect: unknown = Reflect.get(globalThis, 'gc')
  if (typeof collect !== 'function')
    throw new Error('The browser of the tests does not say when to collect garbage.')
  collect()
})
