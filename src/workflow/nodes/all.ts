import type { NodeKind } from '../graph.ts'
import { readBranch } from './branch.ts'
import { readHttp } from './http.ts'
import { readJoin } from './join.ts'
import type { NodeReader } from './node-type.ts'
import { readRule } from './rule.ts'
import { readSink } from './sink.ts'
import { readSource } from './source.ts'
import { readTransform } from './transform.ts'

/** How a node of each kind is read. */
export const NODE_READERS: Readonly<Record<NodeKind, NodeReader>> = {
  source: readSource,
  transform: readTransform,
  join: readJoin,
  rule: readRule,
  http: readHttp,
  branch: readBranch,
  sink: readSink
}
