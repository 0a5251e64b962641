/** The guarantees against replays with many rounds of races and kills. */
import '../replay.test.ts';
