#!/usr/bin/env node
// Entry point that any Node can parse: it checks the version in words before anything newer is loaded.
'use strict';
var major = Number(process.versions.node.split('.')[0]);
if (major < 26) {
  process.stderr.write(
    'privacy-edge needs Node 26 or newer, this is ' +
      process.version +
      ' (' +
      process.execPath +
      ').\n' +
      'On Linux x64 "npm ci" installs it into node_modules/.bin; start through "npm start" or "npx privacy-edge".\n' +
      'On other platforms install Node 26 and try again.\n',
  );
  process.exit(1);
}
require('node:module').enableCompileCache();
void import('../src/main.ts');
