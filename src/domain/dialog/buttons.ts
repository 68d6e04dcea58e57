import { COMPLAINTS } from '../../contracts/conversation.js';
import type { Button } from '../../contracts/messenger.js';
import type { Phrases } from './phrase-book.js';
import { cleanText } from '../rich-text/clean-text.js';
import { pressOf, type Press } from './presses.js';

export const button = (label: string, press: Press): Button => ({
  label: cleanText(label),
  press: pressOf(press),
});

/** Buttons under an answer, to say how it was. */
export const feedbackButtons = (requestId: string): Button[][] => [
  [button('👍', { what: 'mark', requestId, mark: 'good' }), button('👎', { what: 'mark', requestId, mark: 'bad' })],
];

/** Buttons to say what was wrong with an answer. */
export function complaintButtons(requestId: string, { complaints }: Phrases): Button[][] {
  const all = COMPLAINTS.map((complaint) => button(complaints[complaint], { what: 'wrong', requestId, complaint }));
  return [all.slice(0, 2), all.slice(2)];
}

/** Buttons under an offer. */
export const offerButtons = (id: string, { offerYes, offerNo, offerAsk }: Phrases): Button[][] => [
  [
    button(offerYes, { what: 'offer', id, choice: 'yes' }),
    button(offerNo, { what: 'offer', id, choice: 'no' }),
    button(offerAsk, { what: 'offer', id, choice: 'ask' }),
  ],
];
