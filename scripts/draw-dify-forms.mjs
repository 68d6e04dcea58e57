// Draws docs/images/dify-*.png: Dify's forms with what is filled in, in our own hand, for docs/dify-integration.md. They
// are drawings and no screenshots. Needs Chromium, as CHROMIUM or `chromium` of Debian: draw-dify-forms.mjs
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = resolve(import.meta.dirname, '..');
const WIDTH = 640;

/** A field: its label, what is in it, and whether it is a list to choose from, a text, or left as it is. */
const FORMS = {
  'dify-model': {
    title: 'OpenAI-API-compatible: add model',
    fields: [
      ['Model Type', 'LLM', 'choice'],
      ['Model Name *', 'dagi-stack'],
      ['API Key', 'dagi_••••••••••••'],
      ['API Base URL *', 'http://host.docker.internal:9102/v1'],
      ['model name for API endpoint', '', 'kept'],
      ['Completion mode', 'Chat', 'choice'],
      ['Model context size *', '2046'],
      ['Upper bound for max tokens', '160'],
      ['Thinking Mode Support', '', 'kept'],
      ['Compatibility mode', 'OpenAI compatible', 'choice'],
      ['API Type', 'Chat Completions API', 'choice'],
      ['Token parameter name', 'Auto', 'choice'],
      ['User Identity Support', 'Support', 'choice'],
      ['Include Usage in Stream', 'Enabled', 'choice'],
      ['Function Call Type', 'Not Support', 'choice'],
      ['Stream function calling', 'Not Support', 'choice'],
      ['Vision Support', 'Not Support', 'choice'],
      ['Structured Output', 'Support', 'choice'],
      ['Stream mode auth', 'Not Use', 'choice'],
      ['Delimiter for streaming results', '\\n\\n', 'kept'],
    ],
    button: 'Save',
  },
  'dify-tool': {
    title: 'Create Custom Tool',
    fields: [
      ['Name *', 'dagi-stack'],
      [
        'Schema *',
        'openapi: 3.0.3\ninfo:\n  title: DAGI Stack\n…\nservers:\n  - url: http://192.168.1.20:9102',
        'area',
      ],
      ['Available Tools', 'route · getRequest · queryMicrodao · listProposals · …', 'kept'],
      ['Authorization method', 'API Key', 'choice'],
    ],
    button: 'Save',
  },
  'dify-tool-key': {
    title: 'Authorization method',
    fields: [
      ['Authorization type', 'Header', 'choice'],
      ['Auth type', 'Bearer (not Basic)', 'choice'],
      ['Key', 'Authorization', 'kept'],
      ['Value *', 'dagi_••••••••••••'],
    ],
    button: 'Save',
  },
};

const STYLE = `
  * { box-sizing: border-box; margin: 0; }
  body { font: 14px/1.4 "DejaVu Sans", sans-serif; color: #1f2937; background: #fff; width: ${WIDTH}px; }
  main { border: 2px dashed #9ca3af; border-radius: 10px; margin: 8px; padding: 16px 20px; }
  h1 { font-size: 16px; margin-bottom: 10px; }
  dl { display: grid; grid-template-columns: 215px 1fr; gap: 7px 12px; align-items: center; }
  dt { color: #4b5563; text-align: right; font-size: 13px; }
  dd { border: 1px solid #93c5fd; background: #eff6ff; border-radius: 6px; padding: 4px 10px; min-height: 29px; white-space: pre-wrap; }
  dd.kept { border-color: #d1d5db; background: #f9fafb; color: #6b7280; }
  dd.choice::after { content: "▾"; float: right; color: #6b7280; }
  dd.area { font-family: "DejaVu Sans Mono", monospace; font-size: 12px; }
  p { text-align: right; margin-top: 12px; }
  b { background: #2563eb; color: #fff; border-radius: 6px; padding: 5px 18px; font-weight: normal; }
  i { float: left; color: #6b7280; font-size: 12px; }
`;

const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);
const pageOf = ({ title, fields, button }) => `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><main>
  <h1>${escaped(title)}</h1>
  <dl>${fields.map(([label, value, kind = '']) => `<dt>${escaped(label)}</dt><dd class="${kind}">${escaped(value)}</dd>`).join('')}</dl>
  <p><i>A drawing of the form. Blue: fill in. Grey: leave as it is.</i><b>${escaped(button)}</b></p></main>`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: WIDTH, height: 100 } });
for (const [name, form] of Object.entries(FORMS)) {
  const path = join(ROOT, 'docs', 'images', `${name}.png`);
  await page.setContent(pageOf(form));
  await page.screenshot({ path, fullPage: true });
  console.log(path);
}
await browser.close();
