/** How the answer to a prompt ended. `refused`: whoever asked may not, or not now. `running`: there is none yet. */
export const PROMPT_STATUSES = ['success', 'failed', 'cancelled', 'refused', 'running'] as const;
export type PromptStatus = (typeof PROMPT_STATUSES)[number];

/** What somebody wrote, and how they were answered. */
export interface DialogPrompt {
  text: string;
  /** From the arrival of the message to its whole answer; null: there is none yet, or nobody measured it. */
  response_time_ms: number | null;
  /** Which one answered; `cache` or `database` where no model was needed; null: a command, or nobody. */
  provider: string | null;
  /** Roles of whoever wrote it, as they were then; null: nobody wrote them down. */
  rbac_role: string | null;
  status: PromptStatus;
}

/** What members think of the answers of a dialog, in words; `None` where they have said nothing. */
export interface DialogInsights {
  worked_well: string;
  issues: string;
  suggestions: string;
}

/** Which dialog it is. */
export interface DialogHead {
  dialog_id: string;
  /** When it began, as an ISO date. */
  timestamp: string;
  /** Whose it is; null: that of a group, which is nobody's. */
  user_id: string | null;
  dao_id: string;
}

/** A dialog as it is exported. */
export interface DialogRecord extends DialogHead {
  prompts: DialogPrompt[];
  insights: DialogInsights;
}

/** A dialog as lists show it. */
export interface DialogSummary extends DialogHead {
  /** Through what it is held, such as `telegram`; null: nobody said. */
  source: string | null;
}
