/** A leader or a helper of the demonstration: the ordinary role, with everything that reaches it written down. */
import { startAggregator } from '../serve/aggregator-role.ts';
import { startProcess } from '../serve/process.ts';
import { startRole } from '../serve/start.ts';
import { demoEnvironment, joinParent } from './child.ts';
import { Recorder } from './recorder.ts';

/** What the process is told. */
export interface AggregatorTask {
  readonly section: 'analyticsLeader' | 'analyticsHelper';
  /** Configuration file. */
  readonly config: string;
  /** Where to record what reaches it. */
  readonly trace: string;
}

const task = joinParent<AggregatorTask>();
const recorder = new Recorder(task.trace);
recorder.recordServers();
const running = await startProcess(task.section, {
  config: task.config,
  environment: demoEnvironment(process.env),
  startRole: (start, host) => {
    if (start.role !== 'analyticsLeader' && start.role !== 'analyticsHelper') return startRole(start, host);
    return startAggregator(start, host, {
      wrap: (handler) => async (request) => recorder.response(await handler(recorder.request(request))),
      wrapTransport: (transport) => async (request) => {
        recorder.fields('asked', `${request.method} ${request.url}`, request.fields);
        if (request.body !== null) recorder.bytes('asked body', request.body);
        const response = await transport(request);
        recorder.bytes('answer of the helper', response.body);
        return response;
      },
    });
  },
});
process.stdout.write(`${JSON.stringify(running.ready)}\n`);
process.exit(await running.ended);
