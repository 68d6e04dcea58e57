/** What a crew has come to, for those who read words. */
export { crewMarkdown as crewWords } from '../domain/crew/result-markdown.js';
