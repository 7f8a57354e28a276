import type { ComputeEngine, OpenComputeEngine } from './compute-engine.ts'

/**
 * The compute engine over DuckDB-WASM. Its code is loaded with the first call, not here: neither the first screen nor a
 * hand-over waits for it.
 */
export const openComputeEngine: OpenComputeEngine = (parts) => {
  let loading: Promise<ComputeEngine> | null = null

  const load = async (): Promise<ComputeEngine> => {
    loading ??= import('./duckdb-compute-engine.ts').then(({ createComputeEngine }) =>
      createComputeEngine(parts)
    )
    try {
      return await loading
    } catch (thrown) {
      // Without a network it may not have come; the next call asks again.
      loading = null
      throw thrown
    }
  }

  return {
    prepare: async (args) => (await load()).prepare(args),
    binder: async (parameters) => (await load()).binder(parameters),
    page: async (args) => (await load()).page(args),
    nullCounts: async (args) => (await load()).nullCounts(args),
    profileSource: async (args) => (await load()).profileSource(args),
    profileArtifact: async (args) => (await load()).profileArtifact(args),
    preview: async (args) => (await load()).preview(args),
    execute: async (args) => (await load()).execute(args),
    explore: async (args, ask) => (await load()).explore(args, ask),
    readArtifact: async (args) => (await load()).readArtifact(args),
    saveArtifact: async (args) => (await load()).saveArtifact(args),
    close: async () => {
      if (loading !== null) await (await loading).close()
    }
  }
}
