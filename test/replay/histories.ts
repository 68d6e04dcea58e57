import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';

const FOLDER = join(import.meta.dirname, 'histories');

/** As much of a recorded history as the tests look at. */
export interface RecordedHistory {
  events: RecordedEvent[];
}

interface RecordedEvent {
  eventType: string;
  workflowExecutionStartedEventAttributes?: { workflowType: { name: string } };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  markerRecordedEventAttributes?: { markerName: string; details: { data: { payloads: { data: string }[] } } };
}

const fileOf = (release: string, shape: string): string => join(FOLDER, release, `${shape}.json`);

export const releases = (): string[] => readdirSync(FOLDER).sort();

export const shapesOf = (release: string): string[] =>
  readdirSync(join(FOLDER, release))
    .map((name) => name.replace(/\.json$/, ''))
    .sort();

export const isRecorded = (release: string, shape: string): boolean => existsSync(fileOf(release, shape));

export const readText = (release: string, shape: string): string => readFileSync(fileOf(release, shape), 'utf8');

export const readHistory = (release: string, shape: string): RecordedHistory =>
  JSON.parse(readText(release, shape)) as RecordedHistory;

/** Writes a history without stack traces: they name folders of the machine, and replay does not look at them. */
export function writeHistory(release: string, shape: string, history: History): void {
  const plain: unknown = JSON.parse(historyToJSON(history), (key, value: unknown) =>
    key === 'stackTrace' ? undefined : value,
  );
  const path = fileOf(release, shape);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(plain, null, 1)}\n`);
}

/** Name of the workflow that went that way. */
export const workflowOf = ({ events }: RecordedHistory): string | undefined =>
  events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name;

/** Names of the activities in a history, local ones included. */
export const activitiesOf = ({ events }: RecordedHistory): string[] =>
  events.flatMap(({ activityTaskScheduledEventAttributes, markerRecordedEventAttributes }) => {
    if (activityTaskScheduledEventAttributes) return activityTaskScheduledEventAttributes.activityType.name;
    if (markerRecordedEventAttributes?.markerName !== 'core_local_activity') return [];
    const data = markerRecordedEventAttributes.details.data.payloads[0]?.data ?? '';
    const { activity_type } = JSON.parse(Buffer.from(data, 'base64').toString('utf8')) as { activity_type: string };
    return activity_type;
  });
