/** Search attributes of every workflow. Ids and counts only: they are stored in clear. */
export const SEARCH_ATTRIBUTES = {
  DaoId: { name: 'DaoId', type: 'KEYWORD' },
  UserId: { name: 'UserId', type: 'KEYWORD' },
  Mode: { name: 'Mode', type: 'KEYWORD' },
  Rule: { name: 'Rule', type: 'KEYWORD' },
  Provider: { name: 'Provider', type: 'KEYWORD' },
  Crew: { name: 'Crew', type: 'KEYWORD' },
  Outcome: { name: 'Outcome', type: 'KEYWORD' },
  ApprovalState: { name: 'ApprovalState', type: 'KEYWORD' },
  TokensTotal: { name: 'TokensTotal', type: 'INT' },
  FallbackUsed: { name: 'FallbackUsed', type: 'BOOL' },
} as const;
