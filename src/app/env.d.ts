/// <reference types="vite-plugin-pwa/vue" />
/// <reference types="vite-plugin-pwa/client" />
import type { DbApi, FlowForgeApi } from '../worker/api.ts'

declare global {
  interface FileSystemHandle {
    /** Chromium's, and only while a person acts. */
    requestPermission?(of: { readonly mode: 'read' | 'readwrite' }): Promise<PermissionState>
  }
  interface Window {
    /** Chromium's. */
    showDirectoryPicker?(options: {
      readonly id: string
      readonly mode: 'readwrite'
    }): Promise<FileSystemDirectoryHandle>
    /** The database contract, for scripts and the console. */
    db: DbApi
    /** What the app does, for scripts and the console; the app's own screens use the same calls. */
    flowforge: FlowForgeApi
    /** Chromium's: files that the desktop opens with the installed app. */
    readonly launchQueue?: {
      setConsumer(consumer: (launch: { readonly files: readonly FileSystemFileHandle[] }) => void): void
    }
  }
}
