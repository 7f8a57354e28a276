import type { NodeSpec } from '../graph/node-kinds.ts'

/** What the form of every kind gets: the spec as it is, and the node whose inputs it may ask for. */
export type SpecFormProps = { readonly nodeId: string; readonly spec: NodeSpec }
export type SpecFormEmits = { 'update:spec': [spec: NodeSpec] }
