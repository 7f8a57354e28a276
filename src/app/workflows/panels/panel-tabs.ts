export const PANEL_TABS = ['preview', 'problems', 'logs', 'result'] as const
export type PanelTab = (typeof PANEL_TABS)[number]
