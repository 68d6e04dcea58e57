/** What is said of how an answer came about, and what it cost. */
export interface ReasonPhrases {
  none: string;
  own: string;
  others: string;
  answered: string;
  notAnswered: (code: string) => string;
  cancelled: string;
  atWork: string;
  rule: (rule: string) => string;
  roles: (roles: string) => string;
  rolesNow: (roles: string) => string;
  asked: string;
  askedNobody: string;
  ok: (provider: string, time: string) => string;
  failed: (provider: string, time: string, why: string) => string;
  skipped: (provider: string, why: string) => string;
  waited: (time: string) => string;
  took: (time: string) => string;
  tokens: (total: number, prompt: number, completion: number) => string;
  estimated: string;
  noTokens: string;
  cost: (usd: string) => string;
  noPrice: string;
  fromModel: string;
  fromCache: (age: string) => string;
  fromDatabase: string;
  fromTool: string;
  refused: string;
  /** How a guest gets what was lacking. */
  remedyGuest: string;
  seconds: (value: string) => string;
  minutes: (value: string) => string;
}
