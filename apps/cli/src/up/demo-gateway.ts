/** The gateway of the demonstration: the ordinary role, with everything that reaches it written down. */
import { startGateway } from '../serve/gateway-role.ts';
import { startProcess } from '../serve/process.ts';
import { startRole } from '../serve/start.ts';
import { type ChildTask, demoEnvironment, joinParent } from './child.ts';
import { Recorder } from './recorder.ts';

const task = joinParent<ChildTask>();
const recorder = new Recorder(task.trace);
recorder.recordServers();
const running = await startProcess('gateway', {
  config: task.config,
  environment: demoEnvironment(process.env),
  startRole: (start, host) => {
    if (start.role !== 'gateway') return startRole(start, host);
    return startGateway(start, host, {
      wrap: (handler) => async (request) => recorder.response(await handler(recorder.request(request))),
      wrapFetchTarget: (fetchTarget) => async (request, signal, onInformational) => {
        const { method, scheme, host: name, port, path } = request;
        recorder.fields('opened request', `${method} ${scheme}://${name}:${port}${path}`, request.fields);
        const body = recorder.content('opened request body', request.body);
        const response = await fetchTarget({ ...request, body }, signal, onInformational);
        recorder.fields('target answer', String(response.status), response.fields);
        return {
          status: response.status,
          fields: response.fields,
          body: recorder.body('target answer body', response.body),
          trailers: () => {
            const trailers = response.trailers();
            recorder.fields('target trailers', '', trailers);
            return trailers;
          },
        };
      },
      outbound: {
        extraRoots: start.extraRoots,
        resolve: async (host) => (host === task.targetHost ? [{ address: '127.0.0.1', family: 4 }] : []),
      },
    });
  },
});
process.stdout.write(`${JSON.stringify(running.ready)}\n`);
process.exit(await running.ended);
