/** What the processes of the demonstration have in common: an argument, and an end when the parent is gone. */
import { endWithParent } from '@privacy-edge/node';
import type { Environment } from '../config/environment.ts';

/** What a serving child is told. */
export interface ChildTask {
  /** Configuration file. */
  readonly config: string;
  /** Where to record what reaches it. */
  readonly trace: string;
  /** Host name of the demo target, which no resolver knows. */
  readonly targetHost: string;
}

/** Reads the task from the command line, and arranges that the process does not outlive its parent. */
export function joinParent<Task>(): Task {
  endWithParent();
  return JSON.parse(process.argv[2] ?? '{}') as Task;
}

/** The environment without settings for other deployments; ports may be chosen. */
export function demoEnvironment(environment: Environment): Environment {
  const entries = Object.entries(environment).filter(
    ([name]) => !name.startsWith('PRIVACY_EDGE_') || /^PRIVACY_EDGE_(?:GATEWAY|RELAY)_(?:ADMIN_)?PORT$/.test(name),
  );
  return Object.fromEntries(entries);
}
