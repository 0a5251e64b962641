/** The relay of the demonstration: the ordinary role, with everything that reaches it written down. */
import { startProcess } from '../serve/process.ts';
import { startRelay } from '../serve/relay-role.ts';
import { startRole } from '../serve/start.ts';
import { type ChildTask, demoEnvironment, joinParent } from './child.ts';
import { Recorder } from './recorder.ts';

const task = joinParent<ChildTask>();
const recorder = new Recorder(task.trace);
recorder.recordServers();
const running = await startProcess('relay', {
  config: task.config,
  environment: demoEnvironment(process.env),
  startRole: (start, host) => {
    if (start.role !== 'relay') return startRole(start, host);
    return startRelay(start, host, {
      wrap: (handler) => async (request, client) => {
        recorder.text('client', client.address);
        return recorder.response(await handler(recorder.request(request), client));
      },
      wrapForward: (forward) => async (request, signal) => {
        recorder.fields('forwarded', `${request.method} ${request.url}`, request.fields);
        const response = await forward(request, signal);
        return {
          status: response.status,
          header: (name) => response.header(name),
          body: recorder.body('gateway answer body', response.body),
        };
      },
    });
  },
});
process.stdout.write(`${JSON.stringify(running.ready)}\n`);
process.exit(await running.ended);
