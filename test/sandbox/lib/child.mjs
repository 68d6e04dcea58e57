// Plays all attempts as the user of this process; its argument is what `play` takes, its output what that gives.
import { play } from './play.mjs';

process.stdout.write(JSON.stringify(await play(JSON.parse(process.argv[2]))));
