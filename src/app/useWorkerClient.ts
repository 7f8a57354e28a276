import { inject, type App, type InjectionKey } from 'vue'
import type { WorkerClient } from './worker-client.ts'

const KEY: InjectionKey<WorkerClient> = Symbol('worker client')

export const provideWorkerClient = (app: App, client: WorkerClient): void => {
  app.provide(KEY, client)
}

/** The worker's door, in a component's setup: `const { flowforge, db } = useWorkerClient()`. */
export const useWorkerClient = (): WorkerClient => {
  const client = inject(KEY)
  if (client === undefined) throw new Error('useWorkerClient was called outside the app, or without a client')
  return client
}
