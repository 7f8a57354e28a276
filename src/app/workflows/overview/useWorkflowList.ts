import { useLiveQuery } from '../../useLiveQuery.ts'
import { readSummary, WORKFLOW_SUMMARIES } from './workflow-summary.ts'

export const useWorkflowList = () => useLiveQuery(WORKFLOW_SUMMARIES, [], readSummary)
