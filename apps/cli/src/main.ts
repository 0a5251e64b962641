process.stdout.write('privacy-edge\n');
