/** Two hundred kills of aggregators while reports flow. */
import '../analytics.test.ts';
