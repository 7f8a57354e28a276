export const PANEL_TABS = ['preview', 'profile', 'problems', 'logs', 'result'] as const
export type PanelTab = (typeof PANEL_TABS)[number]
