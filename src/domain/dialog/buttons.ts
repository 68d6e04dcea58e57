import type { Button } from '../../contracts/messenger.js';

/** What a button does, by the beginning of what it sends. */
export const PRESSES = { good: 'good:', bad: 'bad:' } as const;

/** Buttons under an answer, to say how it was. */
export const feedbackButtons = (requestId: string): Button[][] => [
  [
    { label: '👍', press: `${PRESSES.good}${requestId}` },
    { label: '👎', press: `${PRESSES.bad}${requestId}` },
  ],
];
