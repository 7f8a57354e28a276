/** What of the File System Access API no library of types has: a handle that asks for its permission. */
declare global {
  interface FileSystemHandle {
    /** Chromium's. */
    queryPermission?(of: { readonly mode: 'read' | 'readwrite' }): Promise<PermissionState>
    /** Chromium's, for the page alone, and only while a person acts. */
    requestPermission?(of: { readonly mode: 'read' | 'readwrite' }): Promise<PermissionState>
  }
}

/** Whether a folder may be written without asking the person. */
export const mayWrite = async (folder: FileSystemDirectoryHandle): Promise<boolean> =>
  folder.queryPermission === undefined || (await folder.queryPermission({ mode: 'readwrite' })) === 'granted'
