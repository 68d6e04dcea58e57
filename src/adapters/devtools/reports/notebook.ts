import type { NotebookOutput, NotebookResult, ProgramEnd } from '../../../contracts/devtools.js';
import { startOf } from '../tool-run.js';
import { withoutColours } from './report.js';
import { parsedRecord, recordOf } from '../foreign-json.js';

/** What the driver's report tells, within bounds. */
export interface NotebookReport {
  /** Whether every cell ran without an error. */
  success: boolean;
  endedBy: ProgramEnd;
  cells: NotebookResult['cells'];
  /** Absent where it was too large for the report. */
  notebook?: Record<string, unknown>;
  /** Size of the notebook as JSON, about. */
  bytes: number;
  /** Why it could not be read. */
  problem?: string;
}

const OUTPUT_BYTES = 16 * 1_024;
const MOST_OUTPUTS = 1_000;

/**
 * Reads the report of the driver. Foreign code ran beside that, so nothing in it is taken for granted.
 * @param mostBytes of text for all cells together
 * @returns undefined where there is none, or it is malformed
 */
export function parseNotebookReport(text: string | undefined, mostBytes: number): NotebookReport | undefined {
  const report = parsedRecord(text);
  if (!report) return undefined;
  if (typeof report.problem === 'string') return failed(report.problem.slice(0, 500));
  const notebook = recordOf(report.notebook);
  if (!Array.isArray(notebook.cells)) return undefined;
  const cells = new Cells(mostBytes).of(notebook.cells);
  const errors = cells.some(({ outputs }) => outputs.some(({ type }) => type === 'error'));
  return {
    success: !errors && report.died !== true && report.ended_by === 'exit',
    endedBy: report.ended_by === 'timeout' ? 'timeout' : 'exit',
    cells,
    ...(report.cut !== true && { notebook }),
    bytes: Buffer.byteLength(text ?? ''),
  };
}

const failed = (problem: string): NotebookReport => ({ success: false, endedBy: 'exit', cells: [], bytes: 0, problem });

/** The outputs of cells, within a size for all of them. */
class Cells {
  private left = MOST_OUTPUTS;

  constructor(private bytes: number) {}

  of(cells: readonly unknown[]): NotebookResult['cells'] {
    return cells.flatMap((cell, index) => {
      const { cell_type: type, outputs } = recordOf(cell);
      return type === 'code' ? [{ index, outputs: Array.isArray(outputs) ? this.outputs(outputs) : [] }] : [];
    });
  }

  private outputs(outputs: readonly unknown[]): NotebookOutput[] {
    const told: NotebookOutput[] = [];
    for (const output of outputs) {
      if (this.left === 0) break;
      const { text, ...rest } = outputOf(recordOf(output));
      const shown = startOf(withoutColours(text), Math.min(OUTPUT_BYTES, this.bytes));
      this.bytes -= Buffer.byteLength(shown);
      this.left -= 1;
      told.push({ ...rest, text: shown });
    }
    return told;
  }
}

function outputOf(output: Record<string, unknown>): NotebookOutput {
  switch (output.output_type) {
    case 'stream':
      return { type: 'stream', text: textOf(output.text) };
    case 'error':
      return { type: 'error', text: errorText(output) };
    case 'execute_result':
      return dataOutput('result', output);
    default:
      return dataOutput('display', output);
  }
}

function errorText({ ename, evalue, traceback }: Record<string, unknown>): string {
  const lines = Array.isArray(traceback) ? traceback.filter((line) => typeof line === 'string') : [];
  const heading = `${textOf(ename)}: ${textOf(evalue)}`;
  return lines.length > 0 ? lines.join('\n') : heading;
}

/** The plain text of a result, and the kind of what is no text, such as `image/png`. */
function dataOutput(type: 'result' | 'display', output: Record<string, unknown>): NotebookOutput {
  const data = recordOf(output.data);
  const text = textOf(data['text/plain'] ?? data['text/markdown'] ?? '');
  const media = Object.keys(data).find((kind) => /^(?!text\/(plain|markdown)$)[\w.+-]+\/[\w.+-]+$/.test(kind));
  return media === undefined ? { type, text } : { type, text, media: media.slice(0, 100) };
}

/** nbformat writes a text as one string, or as a list of lines. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.filter((line) => typeof line === 'string').join('');
  return typeof value === 'string' ? value : '';
}
