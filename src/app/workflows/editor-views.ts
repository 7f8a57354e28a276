export type EditorView = 'canvas' | 'list'
