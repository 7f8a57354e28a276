/** What of the File System Access API no library of types has; Chromium's. */
type Picking = Window & {
  showDirectoryPicker(options: {
    readonly id: string
    readonly mode: 'readwrite'
  }): Promise<FileSystemDirectoryHandle>
}
const canPick = (page: Window): page is Picking => 'showDirectoryPicker' in page

type Asking = FileSystemDirectoryHandle & {
  requestPermission(of: { readonly mode: 'readwrite' }): Promise<PermissionState>
}
const canBeAsked = (folder: FileSystemDirectoryHandle): folder is Asking => 'requestPermission' in folder

/** Whether this browser lets a person choose a folder that the app then writes into. */
export const canChooseFolder = canPick(window)

/** To be called while the person acts. Null where the person changed their mind. */
export const chooseFolder = async (): Promise<FileSystemDirectoryHandle | null> => {
  if (!canPick(window)) return null
  try {
    return await window.showDirectoryPicker({ id: 'flowforge-archive', mode: 'readwrite' })
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') return null
    throw thrown
  }
}

/** Lets the browser ask the person for a folder that was chosen before; to be called while the person acts. */
export const askForFolder = async (folder: FileSystemDirectoryHandle): Promise<void> => {
  if (canBeAsked(folder)) await folder.requestPermission({ mode: 'readwrite' })
}
